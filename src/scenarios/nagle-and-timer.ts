import { bytes, type Stage } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const nagleAndTimer: Scenario = {
  name: "nagle-and-timer",
  title: {
    en: "Nagle's algorithm, and the timers that exist",
    ko: "Nagle 알고리즘과 실제로 있는 타이머",
  },
  summary: {
    en: "Many tiny writes make many tiny packets, each with 40 bytes of headers. Nagle's algorithm holds a small segment back while another one is unacknowledged. It has no timer of its own: the ACK releases it. Two timers do exist beside it: the sender's silly-window override and TCP_CORK's 200 ms.",
    ko: "조금씩 여러 번 쓰면 40바이트 헤더가 붙은 작은 패킷이 많아진다. Nagle 알고리즘은 확인되지 않은 작은 세그먼트가 있는 동안 다음 작은 세그먼트를 붙잡는다. 자체 타이머는 없고 ACK가 풀어 준다. 곁에 있는 타이머는 둘이다: 보내는 쪽의 silly window 무효화 타이머와 TCP_CORK의 200 ms.",
  },
  async play(theatre) {
    for (const noDelay of [false, true]) {
      await theatre.act(
        noDelay
          ? { en: "With TCP_NODELAY", ko: "TCP_NODELAY를 켠 경우" }
          : { en: "With Nagle's algorithm", ko: "Nagle 알고리즘이 켜진 경우" },
        async (stage) => {
          const { client, server } = stage.pair();
          const { connection } = await stage.open(client, server, { client: { noDelay } });
          stage.begin();
          for (let i = 0; i < 10; i++) {
            await stage.until(connection.write(bytes(10, 10 * i)));
            await stage.wait(3);
          }
          await stage.wait(100);
          const lengths = dataLengths(stage);
          stage.say(
            noDelay
              ? "Each write goes out at once: ten segments of 10 bytes in 50 of frame, but nothing waits. That is right for keystrokes and games."
              : "Ten writes of 10 bytes, 3 ms apart. The first one goes at once, since nothing is in flight. What follows gathers in the send buffer until the ACK comes, a round trip later, and then goes in one segment. On a faster network fewer bytes would gather: the algorithm adapts by itself.",
            noDelay
              ? "쓸 때마다 바로 나간다. 10바이트를 실은 세그먼트 열 개다. 대신 아무것도 기다리지 않는다. 키 입력이나 게임에 알맞다."
              : "10바이트씩 3 ms 간격으로 열 번 쓴다. 첫 번째는 전송 중인 것이 없으므로 바로 간다. 뒤의 것은 왕복 시간 뒤 ACK가 올 때까지 송신 버퍼에 모였다가 한 세그먼트로 나간다. 네트워크가 빠르면 덜 모인다. 알고리즘이 스스로 맞춘다.",
          );
          theatre.note(noDelay ? "nodelay: lengths" : "nagle: lengths", lengths);
        },
      );
    }
    await theatre.act(
      { en: "TCP_CORK: full segments, or 200 ms", ko: "TCP_CORK: 가득 찬 세그먼트, 아니면 200 ms" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection } = await stage.open(client, server);
        connection.setOption("TCP_CORK", true);
        stage.begin();
        await stage.until(connection.write(bytes(100)));
        const startUs = stage.nowUs;
        await stage.wait(400);
        const [first] = stage.arrows();
        const waited = (first.arrow.timeUs - startUs) / 1000;
        stage.say(
          `With TCP_CORK nothing less than a full segment leaves, even with nothing in flight. So that nothing is stuck for ever, a timer lets it go: here after ${waited} ms.`,
          `TCP_CORK를 켜면 전송 중인 것이 없어도 가득 찬 세그먼트만 나간다. 영영 막히지 않도록 타이머가 풀어 준다. 여기서는 ${waited} ms 뒤다.`,
        );
        theatre.note("corkMs", waited);
      },
    );
    await theatre.act(
      { en: "The sender's silly-window override", ko: "보내는 쪽의 silly window 무효화 타이머" },
      async (stage) => {
        const { client, server } = stage.pair({}, { tcp: { windowScaling: false } });
        const { connection } = await stage.open(client, server, {
          server: { receiveBuffer: 1000 },
        });
        stage.begin();
        await stage.until(connection.write(bytes(900)));
        await stage.wait(50);
        await stage.until(connection.write(bytes(600)));
        const startUs = stage.nowUs;
        await stage.wait(1);
        stage.say(
          "The receiver has 1000 bytes of buffer, 900 of them are filled, and nobody reads: a window of 100 is left. The sender has 600 more, but 100 is less than half of the largest window it has seen. It waits for a better one (RFC 9293 §3.8.6.2.1).",
          "받는 쪽 버퍼 1000바이트 가운데 900바이트가 차 있고 아무도 읽지 않는다. 남은 윈도우는 100이다. 보낼 것은 600바이트지만, 100은 지금까지 본 가장 큰 윈도우의 절반보다 작다. 그래서 더 나은 윈도우를 기다린다(RFC 9293 §3.8.6.2.1).",
          stage.sendBuffer("client: send", connection),
        );
        await stage.wait(300);
        const [, second] = stage.arrows().filter(({ arrow }) => arrow.numbers.includes("len="));
        const waited = (second.arrow.timeUs - startUs) / 1000;
        stage.say(
          `Nothing is in flight, so no ACK will come to release it, and the receiver does not read. After ${waited} ms the override timer (0.1 to 1 s) sends the 100 bytes all the same: else both might wait for ever.`,
          `전송 중인 것이 없으니 풀어 줄 ACK도 오지 않고, 받는 쪽은 읽지 않는다. ${waited} ms 뒤 무효화 타이머(0.1~1초)가 100바이트를 그대로 보낸다. 그러지 않으면 둘 다 영원히 기다릴 수 있다.`,
          stage.sendBuffer("client: send", connection),
        );
        theatre.note("overrideMs", waited);
        theatre.note("overrideLengths", dataLengths(stage));
      },
    );
  },
};

function dataLengths(stage: Stage): number[] {
  return stage
    .arrows()
    .filter(({ from, arrow }) => from === "client" && arrow.numbers.includes("len="))
    .map(({ arrow }) => Number(/len=(\d+)/.exec(arrow.numbers)![1]));
}
