import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const adaptiveTimeout: Scenario = {
  name: "adaptive-timeout",
  title: { en: "A timeout that adapts", ko: "스스로 맞추는 타임아웃 (RTO)" },
  summary: {
    en: "How long should one wait for an ACK? Too short, and segments are sent for nothing; too long, and a loss costs dearly. TCP measures: the smoothed round-trip time and how much it varies give the timeout (RFC 6298).",
    ko: "ACK를 얼마나 기다려야 할까? 너무 짧으면 헛되이 다시 보내고, 너무 길면 손실의 대가가 크다. TCP는 잰다. 평활한 왕복 시간과 그 변동으로 타임아웃을 정한다(RFC 6298).",
  },
  async play(theatre) {
    await theatre.act(
      { en: "Measure, follow, back off", ko: "재고, 따라가고, 물러나기" },
      async (stage) => {
        // The plain rule of RFC 6298, without a floor that would hide the numbers.
        const { client, server, cable } = stage.pair(
          { delayMs: 50 },
          { tcp: { rtoStyle: "rfc", minRtoUs: 1000, tlp: false } },
        );
        const rtos: [number, number][] = [];
        const srtts: [number, number][] = [];
        const rows: string[][] = [["ms", "R", "SRTT", "RTTVAR", "RTO"]];
        const listener = await server.listen({ port: 80, isn: 2000 });
        const connecting = client.connect({
          host: "10.0.0.2",
          port: 80,
          localPort: 40_000,
          isn: 1000,
        });
        await stage.wait(1);
        const [pending] = client.tcp.connections();
        const first = pending.rtoUs / 1000;
        stage.say(
          `Nothing is measured yet, so the first timeout is ${first / 1000} s (RFC 6298 §2.1).`,
          `아직 잰 것이 없으므로 첫 타임아웃은 ${first / 1000}초다(RFC 6298 §2.1).`,
        );
        const connection = await stage.until(connecting);
        const accepted = await stage.until(listener.accept());
        const look = (sample: number) => {
          const { rttUs, rttvarUs, rtoUs } = connection.info();
          const ms = stage.nowUs / 1000;
          rtos.push([ms, rtoUs / 1000]);
          srtts.push([ms, rttUs / 1000]);
          rows.push(
            [ms, sample, rttUs / 1000, rttvarUs / 1000, rtoUs / 1000].map((n) =>
              String(Math.round(n * 100) / 100),
            ),
          );
          return { rttUs, rttvarUs, rtoUs };
        };
        const one = look(100);
        stage.say(
          `The handshake is the first sample: R = 100 ms. SRTT = R = ${one.rttUs / 1000} ms, RTTVAR = R/2 = ${one.rttvarUs / 1000} ms, and RTO = SRTT + 4 RTTVAR = ${one.rtoUs / 1000} ms.`,
          `핸드셰이크가 첫 표본이다: R = 100 ms. SRTT = R = ${one.rttUs / 1000} ms, RTTVAR = R/2 = ${one.rttvarUs / 1000} ms, RTO = SRTT + 4 RTTVAR = ${one.rtoUs / 1000} ms.`,
        );
        const exchange = async () => {
          const startUs = stage.nowUs;
          await stage.until(connection.write(bytes(100)));
          while (connection.info().unackedSegments > 0 || stage.nowUs === startUs)
            await stage.wait(1);
          await accepted.readInto(new Uint8Array(100));
          return (stage.nowUs - startUs) / 1000;
        };
        for (let i = 0; i < 8; i++) {
          await exchange();
          look(100);
        }
        const steady = connection.info();
        stage.say(
          `Eight more samples of the same length: the variance falls, and the timeout comes closer to the round trip: ${Math.round(steady.rtoUs / 1000)} ms.`,
          `같은 표본이 여덟 번 더 온다. 변동이 줄고 타임아웃은 왕복 시간에 다가간다: ${Math.round(steady.rtoUs / 1000)} ms.`,
        );
        cable.configure({ delayMs: 55 });
        for (let i = 0; i < 4; i++) {
          await exchange();
          look(110);
        }
        cable.configure({ delayMs: 70 });
        for (let i = 0; i < 6; i++) {
          await exchange();
          look(140);
        }
        const grown = connection.info();
        stage.say(
          `The path grows longer, to 110 and then 140 ms; SRTT moves an eighth of the way with each sample, RTTVAR a quarter, and the RTO follows: ${Math.round(grown.rtoUs / 1000)} ms.`,
          `경로가 110 ms, 다시 140 ms로 길어진다. 표본마다 SRTT는 차이의 8분의 1, RTTVAR는 4분의 1씩 움직이고 RTO가 따라간다: ${Math.round(grown.rtoUs / 1000)} ms.`,
        );
        cable.configure({ loss: 1 }, "aToB");
        await stage.until(connection.write(bytes(100)));
        await stage.wait(grown.rtoUs / 1000 + 1);
        const doubled = connection.info().rtoUs;
        look(0);
        cable.configure({ loss: 0 }, "aToB");
        await stage.wait(doubled / 1000 + 200);
        const after = connection.info();
        look(0);
        stage.say(
          "A segment is lost: the timer expires, and the timeout doubles. The answer to the repeated segment is no sample: nobody can tell which of the two copies it acknowledges (Karn's rule). So the doubled timeout stays until a new segment is acknowledged.",
          "세그먼트 하나를 잃는다. 타이머가 끝나고 타임아웃은 두 배가 된다. 다시 보낸 세그먼트의 답은 표본으로 쓰지 않는다. 두 사본 가운데 어느 것의 확인인지 알 수 없기 때문이다(Karn의 규칙). 그래서 두 배가 된 타임아웃은 새 세그먼트가 확인될 때까지 유지된다.",
        );
        await accepted.readInto(new Uint8Array(100));
        await exchange();
        const back = look(140);
        stage.say(
          `The next new segment brings a sample, and the timeout is computed again: ${Math.round(back.rtoUs / 1000)} ms.`,
          `다음 새 세그먼트가 표본을 가져오고, 타임아웃을 다시 계산한다: ${Math.round(back.rtoUs / 1000)} ms.`,
        );
        stage.show({
          title: { en: "RTO and smoothed round-trip time", ko: "RTO와 평활 왕복 시간" },
          yTitle: { en: "ms", ko: "ms" },
          series: [
            { name: "RTO", points: rtos },
            { name: "SRTT", points: srtts },
          ],
          rows,
        });
        theatre.note("firstRtoMs", first);
        theatre.note("firstSample", [one.rttUs / 1000, one.rttvarUs / 1000, one.rtoUs / 1000]);
        theatre.note("steadyRtoMs", Math.round(steady.rtoUs / 1000));
        theatre.note("grownRtoMs", Math.round(grown.rtoUs / 1000));
        theatre.note("afterLoss", doubled / grown.rtoUs);
        theatre.note("karnKeepsSrtt", after.rttUs === grown.rttUs);
        theatre.note("backMs", Math.round(back.rtoUs / 1000));
      },
      { limit: 14 },
    );
  },
};
