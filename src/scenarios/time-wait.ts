import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const timeWait: Scenario = {
  name: "time-wait",
  title: { en: "TIME-WAIT", ko: "TIME-WAIT" },
  summary: {
    en: "A segment that was held up somewhere arrives after the connection is closed. The side that closed first still remembers the connection, for twice the longest life of a segment, and so the late duplicate does no harm.",
    ko: "어딘가에서 늦어진 세그먼트가 연결이 닫힌 뒤에 도착한다. 먼저 닫은 쪽은 세그먼트 최대 수명의 두 배 동안 연결을 기억하므로, 늦게 온 중복은 해를 끼치지 못한다.",
  },
  settings: {
    msl: {
      value: 30,
      help: { en: "maximum segment lifetime, seconds", ko: "세그먼트 최대 수명(MSL), 초" },
    },
  },
  async play(theatre) {
    const msl = theatre.settings.msl;
    await theatre.act({ en: "A late duplicate", ko: "늦게 온 중복" }, async (stage) => {
      const { client, server } = stage.pair(
        // The server's third packet (SYN+ACK, ACK, data ...) waits three seconds on the way.
        { bToA: { reorder: { packets: [1], distance: 1000, holdMs: 3000 } } },
        { tcp: { mslUs: msl * 1e6 } },
      );
      const { connection, accepted } = await stage.open(client, server);
      stage.begin();
      await stage.until(accepted.write(bytes(100)));
      await stage.wait(10);
      stage.say(
        "The server sends 100 bytes, and the network holds this segment up for three seconds.",
        "서버가 100바이트를 보내는데, 네트워크가 이 세그먼트를 3초 동안 붙잡아 둔다.",
      );
      await stage.until(connection.readInto(new Uint8Array(100)));
      stage.say(
        "The server's timer expired, the same bytes went again, and this copy arrived. Nobody knows of the first one any more.",
        "서버의 타이머가 끝나 같은 바이트를 다시 보냈고, 이 사본이 도착했다. 첫 번째를 기억하는 이는 이제 없다.",
      );
      await stage.until(connection.close());
      await stage.until(accepted.readInto(new Uint8Array(1)));
      await stage.until(accepted.close());
      await stage.wait(100);
      const during = client.tcp.env.demux.timeWait.count;
      stage.say(
        "The connection is closed on both sides. The server's socket is gone; the client's side, which closed first, is in TIME-WAIT: a small record of the addresses, ports and last numbers.",
        "연결은 양쪽에서 닫혔다. 서버의 소켓은 사라졌고, 먼저 닫은 클라이언트 쪽은 TIME-WAIT에 있다. 주소, 포트, 마지막 번호만 적어 둔 작은 기록이다.",
      );
      await stage.wait(3000);
      stage.say(
        "Now the late segment arrives. It fits the record, its number is old: it is answered with the last ACK and dropped. Without the record it might meet a new connection between the same ports, and its 100 bytes would be taken for new ones.",
        "이제 늦은 세그먼트가 도착한다. 기록과 맞고 번호가 낡았으므로, 마지막 ACK로 답하고 버린다. 기록이 없다면 같은 포트 사이의 새 연결과 만나 100바이트가 새 데이터로 오해받을 수 있다.",
      );
      const lines = stage.lines();
      await stage.wait(msl * 2000 - 4000);
      const before = client.tcp.env.demux.timeWait.count;
      await stage.wait(5000);
      const after = client.tcp.env.demux.timeWait.count;
      stage.say(
        `${2 * msl} s after it began, 2 MSL, the record is gone: by then nothing of the old connection can be left in the network. The port may be used again.`,
        `시작한 지 ${2 * msl}초(2 MSL) 뒤 기록이 사라진다. 그때까지면 옛 연결의 것이 네트워크에 남아 있을 수 없다. 포트는 다시 쓸 수 있다.`,
      );
      theatre.note("segments", lines);
      theatre.note("recordsDuringTimeWait", [during, before]);
      theatre.note("recordsAfter2Msl", after);
    });
  },
};
