import type { Scenario } from "./scenario.ts";

export const peerToPeer: Scenario = {
  name: "peer-to-peer",
  title: { en: "Peers, and both at once", ko: "피어끼리, 그리고 양쪽이 동시에" },
  summary: {
    en: "Client and server are roles of a moment, not kinds of hosts. Three peers listen and connect, each to the next. Then two hosts connect to each other at the same time, with no listener at all.",
    ko: "클라이언트와 서버는 그때그때의 역할이지 호스트의 종류가 아니다. 피어 셋이 저마다 듣고, 다음 피어에 연결한다. 이어서 두 호스트가 듣는 소켓 없이 동시에 서로에게 연결한다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "Three peers in a ring", ko: "고리를 이룬 피어 셋" },
      async (stage) => {
        const peers = ["ann", "bob", "cho"].map((name) => stage.host(name));
        stage.lan(peers);
        const listeners = await Promise.all(
          peers.map((peer) => peer.listen({ port: 6000, isn: 5000 })),
        );
        stage.say(
          "Every peer listens on port 6000 and connects to its neighbor: ann to bob, bob to cho, cho to ann. Each is a server for one connection and a client for another.",
          "피어마다 6000번 포트에서 듣고 옆 피어에 연결한다: ann은 bob에, bob은 cho에, cho는 ann에. 저마다 한 연결에서는 서버, 다른 연결에서는 클라이언트다.",
        );
        const heard: string[] = [];
        const passing = peers.map(async (peer, i) => {
          await stage.network.sleep(25 * i);
          const out = await peer.connect({
            host: `10.0.0.${((i + 1) % 3) + 1}`,
            port: 6000,
            localPort: 41_000 + i,
            isn: 1000 * (i + 1),
          });
          await out.write(peer.name);
          const inward = await listeners[i].accept();
          const chunk = await inward.read();
          heard.push(`${peer.name} hears ${new TextDecoder().decode(chunk!)}`);
          await out.close();
          await inward.close();
        });
        await stage.until(Promise.all(passing));
        await stage.wait(100);
        theatre.note("heard", heard.sort());
      },
      { limit: 30 },
    );
    await theatre.act(
      { en: "Simultaneous open", ko: "동시 연결 (simultaneous open)" },
      async (stage) => {
        const left = stage.host("left");
        const right = stage.host("right");
        stage.cable(left, right);
        stage.say(
          "Both hosts call connect() at the same moment, each to the port from which the other connects. Nobody listens. The SYNs cross on the way.",
          "두 호스트가 같은 순간에 connect()를 부른다. 저마다 상대가 연결해 오는 포트로 건다. 듣는 쪽은 없다. SYN이 도중에 엇갈린다.",
        );
        const a = left.connect({ host: "10.0.0.2", port: 7002, localPort: 7001, isn: 1000 });
        const b = right.connect({ host: "10.0.0.1", port: 7001, localPort: 7002, isn: 2000 });
        const [one, two] = await stage.until(Promise.all([a, b]));
        stage.say(
          "A SYN that meets SYN-SENT is answered with SYN and ACK: SYN-RECEIVED on both sides. Each acknowledges the other, and there is one connection, not two (RFC 9293 §3.5, figure 7).",
          "SYN-SENT 상태에서 SYN을 만나면 SYN과 ACK로 답한다. 양쪽 모두 SYN-RECEIVED가 된다. 서로를 확인하면 연결은 둘이 아니라 하나다(RFC 9293 §3.5, 그림 7).",
        );
        await stage.wait(50);
        await stage.until(one.write("both"));
        const chunk = await stage.until(two.read());
        theatre.note("simultaneousOpen: left", stage.states("left"));
        theatre.note("simultaneousOpen: right", stage.states("right"));
        theatre.note("simultaneousOpen: read", new TextDecoder().decode(chunk!));
        theatre.note("simultaneousOpen: segments", stage.lines().slice(0, 4));
      },
    );
  },
};
