import { SocketError } from "../base/errors.ts";
import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const closeWithDataPending: Scenario = {
  name: "close-with-data-pending",
  title: { en: "Closing while data is pending", ko: "데이터가 남았을 때 닫기" },
  summary: {
    en: "The textbook has two rules: close() lets the send buffer drain, and data that arrives after close is refused. Both hold, and a third stands between them: who closes with unread data resets the connection at once.",
    ko: "교재의 규칙은 둘이다. close()는 송신 버퍼가 빌 때까지 보내고, 닫은 뒤에 온 데이터는 거부한다. 둘 다 맞지만 그 사이에 하나가 더 있다. 읽지 않은 데이터를 두고 닫으면 연결은 곧바로 초기화된다.",
  },
  async play(theatre) {
    await theatre.act(
      {
        en: "(a) Nothing unread: the send buffer drains, then FIN",
        ko: "(가) 읽지 않은 것이 없으면: 송신 버퍼를 비우고 FIN",
      },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server);
        stage.begin();
        await stage.until(connection.write(bytes(20_000)));
        await stage.until(connection.close());
        stage.say(
          "The client writes 20,000 bytes and calls close() at once. close() returns, the descriptor is gone, but TCP still has the bytes in the send buffer and delivers them; the FIN goes behind the last one.",
          "클라이언트가 20,000바이트를 쓰고 곧바로 close()를 부른다. close()는 돌아오고 디스크립터는 사라지지만, TCP는 송신 버퍼의 바이트를 끝까지 전달한다. FIN은 마지막 바이트 뒤에 간다.",
          stage.sendBuffer("client: send", connection),
        );
        let total = 0;
        const buffer = new Uint8Array(30_000);
        for (;;) {
          const n = await stage.until(accepted.readInto(buffer));
          if (n === 0) break;
          total += n;
        }
        stage.say(
          `The server reads all ${total} bytes, and then the end.`,
          `서버는 ${total}바이트를 모두 읽고, 그다음 끝을 읽는다.`,
        );
        await stage.until(accepted.close());
        await stage.wait(50);
        theatre.note("a: delivered", total);
        theatre.note("a: resets", stage.lines().filter((line) => line.includes("RST")).length);
      },
    );
    await theatre.act(
      { en: "(b) Unread data: RST at once", ko: "(나) 읽지 않은 데이터가 있으면: 곧바로 RST" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server);
        stage.begin();
        await stage.until(accepted.write(bytes(100)));
        await stage.wait(30);
        stage.say(
          "100 bytes from the server wait in the client's receive buffer. The client never reads them.",
          "서버가 보낸 100바이트가 클라이언트의 수신 버퍼에서 기다린다. 클라이언트는 읽지 않는다.",
          stage.receiveBuffer("client: receive", connection),
        );
        await stage.until(connection.write(bytes(20_000)));
        await stage.until(connection.close());
        await stage.wait(30);
        stage.say(
          "close() with unread data: these 100 bytes were acknowledged and will never be read, so the server believes something that is not true. The honest answer is a reset (RFC 9293 SHLD-3, RFC 2525 §2.17), and it costs what was still to be sent: the 20,000 bytes are lost with it. This refines the rule that close() delivers: it does, unless something was left unread.",
          "읽지 않은 데이터를 두고 close()를 부르면, 확인까지 한 100바이트가 영영 읽히지 않으므로 서버가 아는 것은 사실이 아니게 된다. 정직한 답은 초기화(RST)다(RFC 9293 SHLD-3, RFC 2525 §2.17). 그 대가로 아직 보내지 못한 20,000바이트도 사라진다. “close()는 남은 것을 전달한다”는 규칙은 읽지 않은 것이 없을 때만 맞다.",
        );
        let received = 0;
        let failure = "none";
        try {
          const buffer = new Uint8Array(30_000);
          for (;;) {
            const n = await stage.until(accepted.readInto(buffer));
            if (n === 0) break;
            received += n;
          }
        } catch (error) {
          failure = error instanceof SocketError ? error.code : String(error);
        }
        theatre.note("b: segments", stage.lines());
        theatre.note("b: received", received);
        theatre.note("b: error", failure);
      },
    );
    await theatre.act(
      { en: "(c) Data after close: RST", ko: "(다) 닫은 뒤에 데이터가 오면: RST" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server);
        stage.begin();
        await stage.until(connection.close());
        await stage.wait(30);
        stage.say(
          "The client closes with nothing unread: FIN, and FIN-WAIT-2. To the server this looks like a half-close; it cannot know that nobody reads any more.",
          "클라이언트는 읽지 않은 것 없이 닫는다: FIN, 그리고 FIN-WAIT-2. 서버에게는 반만 닫은 것과 똑같이 보인다. 더는 아무도 읽지 않는다는 것을 알 수 없다.",
        );
        await stage.until(accepted.write(bytes(100)));
        await stage.wait(30);
        stage.say(
          'The server sends 100 bytes. Nobody can ever take them: RST. So the textbook\'s rule "data after close is thrown away" is half of it; the sender is also told.',
          "서버가 100바이트를 보낸다. 받을 사람이 없으므로 RST다. “닫은 뒤에 온 데이터는 버린다”는 규칙의 나머지 절반은, 보낸 쪽에도 알린다는 것이다.",
        );
        let failure = "none";
        try {
          await stage.until(accepted.readInto(new Uint8Array(10)));
          await stage.until(accepted.write(bytes(1)));
        } catch (error) {
          failure = error instanceof SocketError ? error.code : String(error);
        }
        theatre.note("c: segments", stage.lines());
        theatre.note("c: error", failure);
      },
    );
  },
};
