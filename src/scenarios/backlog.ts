import { LINUX } from "../host/presets.ts";
import type { Stage } from "./stage.ts";
import type { Scenario } from "./scenario.ts";
import type { Theatre } from "./theatre.ts";

export const backlog: Scenario = {
  name: "backlog",
  title: { en: "The accept queue", ko: "accept 큐 (backlog)" },
  summary: {
    en: "listen(backlog 2), four clients, and an application that calls accept late. TCP opens connections by itself and lets them wait; when the queue is full, further clients are not refused: their SYNs get no answer, and they try again.",
    ko: "listen(backlog 2)에 클라이언트는 넷, 응용 프로그램은 accept를 늦게 부른다. TCP는 혼자서 연결을 열어 기다리게 한다. 큐가 가득 차면 다음 클라이언트는 거절당하는 것이 아니라, SYN에 답이 없어서 다시 시도한다.",
  },
  async play(theatre) {
    await theatre.act({ en: "Backlog 2: two wait", ko: "backlog 2: 둘이 기다린다" }, (stage) =>
      play(theatre, stage, false),
    );
    await theatre.act(
      {
        en: "The linux preset: one more than the backlog says",
        ko: "linux 프리셋: backlog보다 하나 더",
      },
      (stage) => play(theatre, stage, true),
    );
    await theatre.act(
      { en: "accept() on an empty queue", ko: "빈 큐에서 accept()" },
      async (stage) => {
        const { client, server } = stage.pair();
        const listener = await server.listen({ port: 80, isn: 2000 });
        let acceptedAtMs = -1;
        const accepting = listener.accept().then((connection) => {
          acceptedAtMs = stage.nowUs / 1000;
          return connection;
        });
        await stage.wait(500);
        stage.say(
          "accept() was called half a second ago, and nobody has come. It blocks: the promise is open, and the process waits without using any time.",
          "accept()를 부른 지 0.5초가 지났지만 아무도 오지 않았다. 호출은 막혀 있다. promise는 열린 채이고, 프로세스는 시간을 쓰지 않고 기다린다.",
        );
        const blocked = acceptedAtMs < 0;
        await stage.until(
          client.connect({ host: "10.0.0.2", port: 80, localPort: 40_000, isn: 1000 }),
        );
        await stage.until(accepting);
        stage.say(
          "A client connects, and accept() returns as soon as the third segment of the handshake is there.",
          "클라이언트가 연결하고, 핸드셰이크의 세 번째 세그먼트가 도착하자마자 accept()가 돌아온다.",
        );
        theatre.note("emptyQueueBlocks", blocked);
        theatre.note("acceptedAtMs", acceptedAtMs);
      },
    );
  },
};

async function play(theatre: Theatre, stage: Stage, linux: boolean): Promise<void> {
  const { client, server } = stage.pair({}, {}, { tcp: linux ? LINUX.tcp : {} });
  const listener = await server.listen({ port: 80, isn: 2000, backlog: 2 });
  const opened: number[] = [];
  const connecting: Promise<unknown>[] = [];
  for (const n of [1, 2, 3, 4]) {
    connecting.push(
      client
        .connect({ host: "10.0.0.2", port: 80, localPort: 40_000 + n, isn: 1000 * n })
        .then(() => opened.push(n)),
    );
    await stage.wait(50);
  }
  const waiting = linux ? 3 : 2;
  await stage.wait(100);
  stage.say(
    linux
      ? "Linux takes a queue of length 2 for full when it holds more than two: three connections wait. The fourth client's SYN is dropped."
      : "Four clients call connect(), 50 ms apart. Two handshakes are completed, and the connections wait in the accept queue, ESTABLISHED, without the application knowing of them. The queue is full: the other SYNs are dropped without an answer. An RST would tell the clients to give up; silence tells them to try again.",
    linux
      ? "리눅스는 길이 2인 큐에 둘보다 많이 들어 있을 때 가득 찼다고 본다. 그래서 연결 셋이 기다린다. 네 번째 클라이언트의 SYN은 버려진다."
      : "네 클라이언트가 50 ms 간격으로 connect()를 부른다. 두 핸드셰이크가 끝나고, 연결은 ESTABLISHED 상태로 accept 큐에서 기다린다. 응용 프로그램은 아직 모른다. 큐가 가득 찼으므로 다른 SYN은 답 없이 버려진다. RST를 보내면 포기하라는 뜻이 되지만, 침묵은 다시 시도하라는 뜻이다.",
  );
  const queued = [...server.tcp.connections()].filter((c) => c.state === 4).length;
  await stage.wait(200);
  stage.say(
    "After half a second the application calls accept() for the first time, and goes on taking what is there. The queue has room again.",
    "0.5초 뒤 응용 프로그램이 처음으로 accept()를 부르고, 있는 대로 꺼내 간다. 큐에 다시 자리가 생긴다.",
  );
  let accepted = 0;
  while (accepted < 4) {
    await stage.until(listener.accept());
    accepted++;
  }
  await stage.until(Promise.all(connecting));
  stage.say(
    "One second after the first attempt the others repeat their SYN, the first value of the retransmission timer (RFC 6298 §2), and now they get in.",
    "첫 시도 1초 뒤, 재전송 타이머의 초깃값(RFC 6298 §2)이 지나자 나머지가 SYN을 다시 보내고, 이번에는 들어온다.",
  );
  const key = linux ? "linux" : "default";
  theatre.note(`${key}: waiting in the accept queue`, queued);
  theatre.note(`${key}: expected`, waiting);
  theatre.note(`${key}: opened in order`, opened);
  theatre.note(
    `${key}: SYNs sent again`,
    stage.lines().filter((line) => line.includes("SYN seq") && line.includes("again")).length,
  );
}
