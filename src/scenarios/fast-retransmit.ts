import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const fastRetransmit: Scenario = {
  name: "fast-retransmit",
  title: { en: "Fast retransmit", ko: "빠른 재전송 (fast retransmit)" },
  summary: {
    en: "One of ten segments is lost. Those behind it arrive, and each brings an ACK that repeats the number of the missing one. Three of them are proof enough: it goes again long before the timer would expire.",
    ko: "열 개 가운데 하나를 잃는다. 뒤의 세그먼트들은 도착하고, 그때마다 빠진 번호를 되풀이하는 ACK가 온다. 세 개면 증거로 충분하다. 타이머가 끝나기 훨씬 전에 다시 보낸다.",
  },
  async play(theatre) {
    for (const sack of [false, true]) {
      await theatre.act(
        sack
          ? { en: "With SACK", ko: "SACK을 쓰는 경우" }
          : { en: "Three duplicate ACKs", ko: "중복 ACK 세 개" },
        async (stage) => {
          // 0 SYN, 1 ACK, 2-11 the ten segments: the third of them is lost.
          const { client, server } = stage.pair(
            { aToB: { loss: [4] } },
            { tcp: { sack, rack: sack } },
          );
          const { connection, accepted } = await stage.open(client, server);
          stage.begin();
          const data = bytes(14_600);
          await stage.until(connection.write(data));
          await stage.wait(11);
          stage.say(
            "Ten full segments of 1460 bytes leave at once: the initial window (RFC 6928). The third one is lost. What comes behind it lies beyond a gap: the server keeps it, but cannot give it to the application yet.",
            "1460바이트짜리 세그먼트 열 개가 한꺼번에 나간다. 초기 윈도우다(RFC 6928). 세 번째가 사라진다. 그 뒤에 온 것은 빈틈 너머에 있으므로, 서버는 간직하지만 아직 응용 프로그램에 줄 수 없다.",
            stage.receiveBuffer("server: receive", accepted),
          );
          await stage.wait(100);
          stage.say(
            sack
              ? "Each ACK still says which byte is missing, and its SACK option lists what lies beyond the gap. So the sender knows exactly what to repeat: one segment."
              : "Each segment beyond the gap brings the same ACK again. After the third duplicate the sender repeats the missing segment, halves its window, and goes on (RFC 5681 §3.2).",
            sack
              ? "ACK는 여전히 빠진 바이트를 가리키고, SACK 옵션이 빈틈 너머에 있는 것을 나열한다. 그래서 보내는 쪽은 무엇을 다시 보낼지 정확히 안다: 세그먼트 하나."
              : "빈틈 너머의 세그먼트마다 같은 ACK가 다시 온다. 세 번째 중복 ACK 뒤에 보내는 쪽은 빠진 세그먼트를 다시 보내고 윈도우를 줄인 뒤 계속한다(RFC 5681 §3.2).",
            stage.receiveBuffer("server: receive", accepted),
          );
          const received = new Uint8Array(14_600);
          let total = 0;
          while (total < received.length) {
            total += await stage.until(accepted.readInto(received.subarray(total)));
          }
          const info = connection.info();
          const key = sack ? "sack" : "duplicates";
          theatre.note(`${key}: bytes`, total);
          theatre.note(
            `${key}: whole`,
            received.every((byte, i) => byte === (i & 0xff)),
          );
          theatre.note(`${key}: retransmissions`, info.totalRetrans);
          theatre.note(`${key}: timeouts`, client.counters.tcpTimeouts);
          theatre.note(
            `${key}: again`,
            stage.lines().filter((line) => line.includes("again")),
          );
        },
      );
    }
  },
};
