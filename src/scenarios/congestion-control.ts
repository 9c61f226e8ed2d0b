import { bytes } from "./stage.ts";
import type { Scenario, Series } from "./scenario.ts";

const ALGORITHMS = ["reno", "cubic", "bic", "westwood", "vegas"] as const;

export const congestionControl: Scenario = {
  name: "congestion-control",
  title: { en: "Five congestion controls, one bottleneck", ko: "병목 하나, 혼잡 제어 다섯 가지" },
  summary: {
    en: "The window of the receiver says what it can take; the congestion window is the sender's guess of what the network can take. The same transfer over the same bottleneck, with five ways to guess.",
    ko: "수신 윈도우는 받는 쪽이 감당할 양을, 혼잡 윈도우는 네트워크가 감당할 양에 대한 보내는 쪽의 짐작을 나타낸다. 같은 병목으로 같은 데이터를 보내되, 짐작하는 방법만 다섯 가지로 바꿔 본다.",
  },
  settings: {
    mbit: { value: 10, help: { en: "rate of the bottleneck, Mbit/s", ko: "병목 속도, Mbit/s" } },
    delay: { value: 20, help: { en: "delay one way, ms", ko: "한 방향 지연, ms" } },
    queue: { value: 30, help: { en: "packets that may wait", ko: "줄 설 수 있는 패킷 수" } },
    megabytes: { value: 4, help: { en: "data to send, MB", ko: "보낼 데이터, MB" } },
  },
  async play(theatre) {
    const { mbit, delay, queue, megabytes } = theatre.settings;
    const total = Math.round(megabytes * 1e6);
    const series: Series[] = [];
    const rows: string[][] = [["", "ms", "cwnd max", "retransmissions", "Mbit/s"]];
    for (const name of ALGORITHMS) {
      await theatre.act(
        { en: name, ko: name },
        async (stage) => {
          const { client, server } = stage.pair(
            { delayMs: delay, bitsPerSecond: mbit * 1e6, queue: { packets: queue } },
            {
              tcp: {
                congestionControl: name,
                sendBuffer: 400_000,
                sendBufferMax: 400_000,
                receiveBuffer: 800_000,
                receiveBufferMax: 800_000,
              },
            },
          );
          const { connection, accepted } = await stage.open(client, server);
          const startUs = stage.nowUs;
          stage.begin();
          const reading = (async () => {
            const buffer = new Uint8Array(65_536);
            let got = 0;
            while (got < total) got += await accepted.readInto(buffer);
            return got;
          })();
          const writing = connection.write(bytes(total));
          const got = await stage.until(reading);
          await stage.until(writing);
          const ms = (stage.nowUs - startUs) / 1000;
          const points: [number, number][] = [];
          let most = 0;
          for (const event of stage.recorder.read().events()) {
            if (event.name !== "tcp:segment_received" || event.host !== "client") continue;
            const cwnd = event.variables.cwnd / event.variables.sndMss;
            if (event.timeUs > startUs) points.push([(event.timeUs - startUs) / 1000, cwnd]);
            most = Math.max(most, cwnd);
          }
          const info = connection.info();
          series.push({ name, points });
          const rate = (8 * total) / ms / 1000;
          rows.push([
            name,
            ms.toFixed(0),
            most.toFixed(1),
            String(info.totalRetrans),
            rate.toFixed(2),
          ]);
          theatre.note(`${name}: ms`, Math.round(ms));
          theatre.note(`${name}: retransmissions`, info.totalRetrans);
          theatre.note(`${name}: bytes`, got);
          if (name === "vegas") {
            stage.say(
              "Reno adds one segment per round trip and halves its window at a loss: a sawtooth. CUBIC and BIC go back fast towards the window where the last loss was and slow down near it. Westwood sets its threshold from the measured rate instead of a fixed half. Vegas listens to the delay: when its packets begin to queue it stops growing, and so it loses little or nothing.",
              "Reno는 왕복마다 세그먼트 하나씩 늘리고 손실이 나면 절반으로 줄인다: 톱니 모양이다. CUBIC과 BIC은 지난번에 손실이 났던 윈도우 쪽으로 빠르게 돌아가다가 가까워지면 느려진다. Westwood는 무조건 절반 대신, 측정한 전송률로 기준을 정한다. Vegas는 지연을 듣는다. 패킷이 줄을 서기 시작하면 더 늘리지 않으므로 손실이 거의 없다.",
            );
            stage.show({
              title: { en: "Congestion window over time", ko: "시간에 따른 혼잡 윈도우" },
              yTitle: { en: "cwnd, segments", ko: "cwnd, 세그먼트 수" },
              series,
              rows,
            });
          }
        },
        {
          limit: 12,
          marks: ["congestion"],
          events: 131_072,
          memory: { smallFrames: 4096, largeFrames: 8, pages: 1024, reserve: 16 },
        },
      );
    }
  },
};
