import { SocketError } from "../base/errors.ts";
import type { Scenario } from "./scenario.ts";

export const whoHas: Scenario = {
  name: "who-has",
  title: { en: "Who has 10.0.0.2?", ko: "누가 10.0.0.2를 쓰고 있나? (ARP와 ICMP)" },
  summary: {
    en: "An IP address says who is meant, an Ethernet address who is to take the frame. Before the first packet to a neighbor someone must ask. Then an echo and its answer, and what happens at a port where nobody listens.",
    ko: "IP 주소는 누구에게 보내는지를, 이더넷 주소는 누가 프레임을 받을지를 말한다. 이웃에게 첫 패킷을 보내려면 먼저 물어야 한다. 이어서 에코와 그 응답, 그리고 아무도 듣지 않는 포트에서 일어나는 일을 본다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "ARP, echo, port unreachable", ko: "ARP, 에코, 포트 도달 불가" },
      async (stage) => {
        const { client, server } = stage.pair({ strangers: true, delayMs: 1 });
        stage.say(
          "The client wants to send an ICMP echo request to 10.0.0.2. It is on its own subnet, but the Ethernet address is not known. The packet waits in the neighbor cache, and a broadcast asks: who has 10.0.0.2?",
          "클라이언트가 10.0.0.2로 ICMP 에코 요청을 보내려 한다. 같은 서브넷이지만 이더넷 주소를 모른다. 패킷은 이웃 캐시에서 기다리고, 브로드캐스트로 묻는다: 누가 10.0.0.2를 쓰고 있나?",
        );
        const first = await stage.until(client.ping("10.0.0.2"));
        stage.say(
          "The owner answers with its address, to the asker alone, and the waiting packet goes out. The server need not ask back: it learned the client's address from the question. Two round trips for the first packet.",
          "주인이 물은 쪽에만 자기 주소로 답하고, 기다리던 패킷이 나간다. 서버는 되물을 필요가 없다. 질문에서 클라이언트의 주소를 배웠기 때문이다. 첫 패킷에는 왕복이 두 번 든다.",
        );
        const second = await stage.until(client.ping("10.0.0.2"));
        stage.say(
          "The second echo needs one round trip: the answer is remembered.",
          "두 번째 에코에는 왕복 한 번이면 된다. 답을 기억하고 있기 때문이다.",
        );
        const socket = await client.udp({ family: 4 });
        socket.connect("10.0.0.2", 9999);
        let failure = "none";
        try {
          await stage.until(socket.send("anyone?"));
          await stage.until(socket.receive());
        } catch (error) {
          failure = error instanceof SocketError ? error.code : String(error);
        }
        stage.say(
          'A datagram to port 9999, where nobody listens. IP delivered it, but there is no socket: the server answers with ICMP "port unreachable", which quotes the header of the offending packet, so that the client finds the socket it belongs to. Its receive() fails with ECONNREFUSED.',
          "아무도 듣지 않는 9999번 포트로 데이터그램을 보낸다. IP는 전달했지만 소켓이 없다. 서버는 ICMP “port unreachable”로 답하며 문제의 패킷 헤더를 인용한다. 클라이언트는 그것으로 해당 소켓을 찾고, receive()는 ECONNREFUSED로 실패한다.",
        );
        socket.close();
        theatre.note(
          "packets",
          stage
            .lines({ protocols: ["arp", "icmp", "udp"] })
            .map((line) => line.replace(/udp port \d+ /, "udp port ")),
        );
        theatre.note("firstPingMs", first.timeMs);
        theatre.note("secondPingMs", second.timeMs);
        theatre.note("error", failure);
        theatre.note("serverAsked", server.counters.linkInFrames > 0);
      },
      { protocols: ["arp", "icmp", "udp", "ip"], marks: ["state"] },
    );
  },
};
