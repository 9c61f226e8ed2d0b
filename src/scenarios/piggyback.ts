import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const piggyback: Scenario = {
  name: "piggyback",
  title: { en: "ACKs ride on data", ko: "데이터에 얹혀 가는 ACK (piggyback)" },
  summary: {
    en: "An acknowledgement need not travel alone: it is a field of every segment. Who waits a moment before acknowledging often has something to send by then. And of several window updates only the last one counts.",
    ko: "확인 응답은 따로 갈 필요가 없다. 모든 세그먼트에 그 필드가 있기 때문이다. 잠깐 기다리면 그사이 보낼 것이 생기곤 한다. 윈도우 갱신이 여러 번이면 마지막 것만 의미가 있다.",
  },
  async play(theatre) {
    await theatre.act({ en: "Request and reply", ko: "요청과 응답" }, async (stage) => {
      const { client, server } = stage.pair({}, { tcp: { quickAcks: 0 } });
      const { connection, accepted } = await stage.open(client, server);
      stage.begin();
      await stage.until(connection.write(bytes(100)));
      await stage.until(accepted.readInto(new Uint8Array(100)));
      stage.say(
        "The request of 100 bytes arrived. TCP owes an ACK and waits up to 40 ms for something to send with it (RFC 9293 §3.8.6.3, RFC 5681 §4.2).",
        "100바이트 요청이 도착했다. TCP는 ACK를 빚졌지만, 함께 보낼 것이 생길지 최대 40 ms 기다린다(RFC 9293 §3.8.6.3, RFC 5681 §4.2).",
      );
      await stage.wait(5);
      await stage.until(accepted.write(bytes(300)));
      await stage.until(connection.readInto(new Uint8Array(300)));
      stage.say(
        "After 5 ms the server answers. Its one segment carries the reply, the ACK of the request and the window: two segments for the whole exchange, not four.",
        "5 ms 뒤 서버가 답한다. 세그먼트 하나에 응답과, 요청에 대한 ACK와, 윈도우가 함께 실린다. 전체 교환에 네 개가 아니라 두 개면 된다.",
      );
      await stage.wait(100);
      stage.say(
        "The client has nothing more to send, so its ACK waits for the delayed-ACK timer and goes alone, after 40 ms.",
        "클라이언트는 더 보낼 것이 없다. 그래서 ACK는 지연 ACK 타이머를 기다렸다가 40 ms 뒤 혼자 간다.",
      );
      theatre.note("segments", stage.lines());
      const times = stage.arrows().map(({ arrow }) => arrow.timeUs / 1000);
      theatre.note("lastAckDelayMs", times[2] - times[1] - 10);
    });
    await theatre.act(
      { en: "Several window updates become one", ko: "여러 윈도우 갱신이 하나로" },
      async (stage) => {
        const { client, server } = stage.pair({}, { tcp: { windowScaling: false } });
        const { connection, accepted } = await stage.open(client, server, {
          server: { receiveBuffer: 8000 },
        });
        stage.begin();
        await stage.until(connection.write(bytes(8000)));
        await stage.wait(60);
        stage.say(
          "8000 bytes fill the server's receive buffer; its window is closed.",
          "8000바이트가 서버의 수신 버퍼를 채웠다. 윈도우는 닫혔다.",
          stage.receiveBuffer("server: receive", accepted),
        );
        const before = stage.lines().length;
        for (let i = 0; i < 8; i++) await accepted.readInto(new Uint8Array(1000));
        await stage.wait(50);
        const updates = stage.lines({ window: true }).slice(before);
        stage.say(
          "The application reads eight times 1000 bytes in one go. Each read could announce a larger window, but a call only notes that an update is due; what goes out is one ACK with the last value.",
          "응용 프로그램이 1000바이트씩 여덟 번을 이어서 읽는다. 읽을 때마다 더 큰 윈도우를 알릴 수 있지만, 호출은 갱신이 필요하다고 적어 둘 뿐이다. 실제로 나가는 것은 마지막 값을 실은 ACK 하나다.",
          stage.receiveBuffer("server: receive", accepted),
        );
        theatre.note("windowUpdates", updates);
      },
    );
  },
};
