import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const inOrderDelivery: Scenario = {
  name: "in-order-delivery",
  title: { en: "1, 3, 2", ko: "1, 3, 2" },
  summary: {
    en: "Three segments leave in order and arrive as 1, 3, 2. The third one is there before the second, but the application does not see it: TCP hands over bytes in the order of their numbers, or not yet.",
    ko: "세그먼트 셋이 순서대로 나가 1, 3, 2로 도착한다. 세 번째가 두 번째보다 먼저 왔지만 응용 프로그램은 보지 못한다. TCP는 바이트를 번호 순서대로 건네거나, 아직 건네지 않는다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "Segments overtake each other", ko: "서로를 앞지르는 세그먼트" },
      async (stage) => {
        // 0 SYN, 1 ACK, then the three: the second of them is held up for 4 ms.
        const { client, server } = stage.pair({
          aToB: { reorder: { packets: [3], distance: 1000, holdMs: 4 } },
        });
        const { connection, accepted } = await stage.open(client, server, {
          client: { noDelay: true },
        });
        stage.begin();
        const reads: string[] = [];
        const reading = (async () => {
          const buffer = new Uint8Array(5000);
          let got = 0;
          while (got < 3000) {
            const n = await accepted.readInto(buffer);
            got += n;
            reads.push(`${n} bytes at ${stage.nowUs / 1000} ms`);
          }
        })();
        for (let i = 0; i < 3; i++) {
          await stage.until(connection.write(bytes(1000)));
          await stage.wait(1);
        }
        await stage.wait(14);
        stage.say(
          "Segment 1 has arrived, and its read returned at once. Segment 2 is held up somewhere for 4 ms, and segment 3 overtook it: it lies beyond a gap. It is stored at its place in the receive buffer; the ACK names the missing byte once more, and SACK what is there already.",
          "세그먼트 1이 도착해 read가 바로 돌아왔다. 세그먼트 2는 어딘가에서 4 ms 지체되고, 세그먼트 3이 앞질러 와서 빈틈 너머에 놓였다. 수신 버퍼의 제자리에 두고, ACK는 빠진 바이트를 다시 가리키며 SACK은 이미 온 것을 알린다.",
          stage.receiveBuffer("server: receive", accepted),
        );
        await stage.until(reading);
        stage.say(
          "Segment 2 fills the gap, and 2 and 3 become readable together: the waiting read returns 2000 bytes. Nothing was sent again; the sender waits a moment before it takes an overtaken segment for a lost one.",
          "세그먼트 2가 빈틈을 메우자 2와 3을 함께 읽을 수 있게 되어, 기다리던 read가 2000바이트를 돌려준다. 다시 보낸 것은 없다. 보내는 쪽은 추월당한 세그먼트를 잃은 것으로 여기기 전에 잠깐 기다린다.",
          stage.receiveBuffer("server: receive", accepted),
        );
        await stage.wait(50);
        theatre.note("reads", reads);
        const order = stage
          .arrows()
          .filter(({ from }) => from === "client")
          .filter(({ arrow }) => arrow.numbers.includes("len="))
          .sort(
            (a, b) => a.arrow.arrivedUs! - b.arrow.arrivedUs! || b.arrow.packet - a.arrow.packet,
          )
          .map(({ arrow }) => Number(/seq=(\d+)/.exec(arrow.numbers)![1]));
        theatre.note("arrivalOrder", order);
        theatre.note(
          "acks",
          stage.lines().filter((line) => line.startsWith("server")),
        );
        theatre.note("retransmissions", connection.info().totalRetrans);
      },
      { marks: ["state", "timer", "call"] },
    );
  },
};
