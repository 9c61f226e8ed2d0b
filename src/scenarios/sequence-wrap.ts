import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const sequenceWrap: Scenario = {
  name: "sequence-wrap",
  title: { en: "32 bits run over", ko: "32비트가 한 바퀴 돌 때" },
  summary: {
    en: "Sequence numbers have 32 bits; behind 4,294,967,295 comes 0. Comparing modulo 2^32 makes that invisible. On a fast path the same number may come round while an old segment is still on its way: timestamps tell them apart (PAWS).",
    ko: "순서 번호는 32비트다. 4,294,967,295 다음은 0이다. 2^32를 법으로 비교하면 이는 눈에 띄지 않는다. 빠른 길에서는 낡은 세그먼트가 아직 떠도는데 같은 번호가 다시 올 수 있다. 타임스탬프가 둘을 구별한다(PAWS).",
  },
  async play(theatre) {
    await theatre.act(
      { en: "From 4294967246 over 0", ko: "4294967246에서 0을 지나" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server, {
          client: { isn: 0xffffffff - 50 },
        });
        stage.begin();
        await stage.until(connection.write(bytes(100)));
        await stage.wait(30);
        stage.say(
          "The first byte has number 4294967246, and the segment of 100 bytes runs over the end: its last 50 bytes have the numbers 0 to 49. The ACK says 50.",
          "첫 바이트는 4294967246번이고, 100바이트 세그먼트는 끝을 넘어간다. 마지막 50바이트는 0번부터 49번이다. ACK는 50이다.",
          stage.receiveBuffer("server: receive", accepted),
        );
        await stage.until(connection.write(bytes(100, 100)));
        await stage.wait(30);
        stage.say(
          "50 is less than 4294967246 as a number, but later in the sequence: the difference, taken as a signed 32-bit number, is positive. That is the only way in which sequence numbers are ever compared.",
          "50은 수로는 4294967246보다 작지만 순서로는 뒤다. 차이를 부호 있는 32비트 수로 보면 양수이기 때문이다. 순서 번호는 언제나 이렇게만 비교한다.",
        );
        const into = new Uint8Array(300);
        const n = await stage.until(accepted.readInto(into));
        theatre.note("segments", stage.lines());
        theatre.note("read", n);
        theatre.note(
          "inOrder",
          into.subarray(0, n).every((byte, i) => byte === i),
        );
      },
    );
    await theatre.act(
      {
        en: "PAWS: an old segment with an old timestamp",
        ko: "PAWS: 낡은 타임스탬프를 단 낡은 세그먼트",
      },
      async (stage) => {
        const { client, server } = stage.pair(
          // The third packet of the client (SYN, ACK, data) is held up for a second.
          { aToB: { reorder: { packets: [2], distance: 1000, holdMs: 1000 } } },
          { tcp: { timestamps: true, timestampOffset: false } },
        );
        const { connection, accepted } = await stage.open(client, server, {
          client: { isn: 0xffffffff - 50 },
        });
        stage.begin();
        await stage.until(connection.write(bytes(100)));
        await stage.wait(600);
        await stage.until(connection.write(bytes(100, 100)));
        await stage.wait(100);
        stage.say(
          "The first copy of this segment is held up in the network; the timer sent it again, and the stream went on. Every segment carries a timestamp of its sender, and the receiver remembers the latest one (TS.Recent).",
          "이 세그먼트의 첫 사본은 네트워크에 붙잡혀 있다. 타이머가 다시 보냈고 흐름은 계속됐다. 세그먼트마다 보낸 쪽의 타임스탬프가 실리고, 받는 쪽은 가장 최근 것을 기억한다(TS.Recent).",
        );
        await stage.wait(1000);
        const drops = [...stage.recorder.read().events()].filter(
          (event) => event.name === "tcp:segment_dropped" && event.reason === "paws",
        );
        stage.say(
          "Now the first copy arrives. Its timestamp is older than TS.Recent, so it cannot be new, whatever its number says: it is dropped and answered with an ACK (RFC 7323 §5). At 10 Gbit/s the numbers come round in three seconds; then this check is all that protects the stream.",
          "이제 첫 사본이 도착한다. 타임스탬프가 TS.Recent보다 낡았으므로 번호가 무엇이든 새것일 수 없다. 버리고 ACK로 답한다(RFC 7323 §5). 10 Gbit/s에서는 3초면 번호가 한 바퀴 돈다. 그때 흐름을 지키는 것은 이 검사뿐이다.",
        );
        const into = new Uint8Array(300);
        let total = 0;
        while (total < 200) total += await stage.until(accepted.readInto(into.subarray(total)));
        theatre.note("paws: dropped", drops.length);
        theatre.note("paws: read", total);
        theatre.note(
          "paws: inOrder",
          into.subarray(0, total).every((byte, i) => byte === i),
        );
      },
    );
  },
};
