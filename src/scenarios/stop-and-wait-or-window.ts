import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

const MSS = 1460;

export const stopAndWaitOrWindow: Scenario = {
  name: "stop-and-wait-or-window",
  title: { en: "Stop and wait, or a window", ko: "멈추고 기다리기와 윈도우" },
  summary: {
    en: "With one segment in flight, most of the time nothing is on the line. With as many as fit into a round trip the line is busy. The same 100 segments over the same path, and the time they take.",
    ko: "전송 중인 세그먼트가 하나뿐이면 선로는 대부분 비어 있다. 왕복 시간에 들어가는 만큼 보내면 선로가 찬다. 같은 길로 세그먼트 100개를 두 가지로 보내고 걸린 시간을 견준다.",
  },
  settings: {
    mbit: { value: 10, help: { en: "rate of the line, Mbit/s", ko: "선로 속도, Mbit/s" } },
    delay: { value: 10, help: { en: "delay one way, ms", ko: "한 방향 지연, ms" } },
    segments: { value: 100, help: { en: "segments to send", ko: "보낼 세그먼트 수" } },
  },
  async play(theatre) {
    const { mbit, delay, segments } = theatre.settings;
    const total = segments * MSS;
    for (const one of [true, false]) {
      await theatre.act(
        one
          ? { en: "One segment in flight", ko: "세그먼트 하나씩" }
          : { en: "A window of many", ko: "여러 개의 윈도우" },
        async (stage) => {
          const { client, server } = stage.pair(
            { delayMs: delay, bitsPerSecond: mbit * 1e6 },
            { tcp: { windowScaling: !one, sendBuffer: 300_000 } },
          );
          const { connection, accepted } = await stage.open(client, server, {
            server: one ? { receiveBuffer: MSS } : {},
          });
          const startUs = stage.nowUs;
          stage.begin();
          const reading = (async () => {
            const buffer = new Uint8Array(65_536);
            let got = 0;
            while (got < total) got += await accepted.readInto(buffer);
            return got;
          })();
          await stage.until(connection.write(bytes(total)));
          await stage.until(reading);
          const ms = (stage.nowUs - startUs) / 1000;
          // 54 bytes of headers belong to each segment on the line.
          const used = (segments * (MSS + 54) * 8) / (mbit * 1000) / ms;
          const percent = Math.round(used * 1000) / 10;
          stage.say(
            one
              ? `The receive buffer holds one segment, so the window never lets more than one go. Each waits for the ACK of the one before: ${Math.round(ms)} ms for ${segments} segments. The line was busy ${percent} % of the time.`
              : `Now as many are in flight as the window allows, and it grows with the ACKs. The same ${segments} segments take ${Math.round(ms)} ms, and the line was busy ${percent} % of the time; the rest is the start, when the sender does not know the path yet, and the last half round trip.`,
            one
              ? `수신 버퍼에 세그먼트 하나만 들어가므로, 윈도우는 하나보다 많이 보내 주지 않는다. 저마다 앞 세그먼트의 ACK를 기다린다: 세그먼트 ${segments}개에 ${Math.round(ms)} ms. 선로가 일한 시간은 ${percent} %다.`
              : `이제 윈도우가 허락하는 만큼 전송 중이고, 윈도우는 ACK와 함께 자란다. 같은 세그먼트 ${segments}개에 ${Math.round(ms)} ms가 걸리고 선로가 일한 시간은 ${percent} %다. 나머지는 아직 경로를 모르는 시작 부분과 마지막 반 왕복이다.`,
          );
          const key = one ? "stopAndWait" : "window";
          theatre.note(`${key}: ms`, Math.round(ms * 10) / 10);
          theatre.note(`${key}: utilisation %`, percent);
        },
        { limit: 16, memory: { smallFrames: 2048, largeFrames: 8, pages: 768, reserve: 16 } },
      );
    }
  },
};
