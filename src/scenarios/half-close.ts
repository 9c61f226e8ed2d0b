import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const halfClose: Scenario = {
  name: "half-close",
  title: { en: "Half-close", ko: "반만 닫기 (half-close)" },
  summary: {
    en: "A client sends its request and says that it is complete by closing its direction only. The server reads to the end, works, and answers at length; the client goes on reading.",
    ko: "클라이언트는 요청을 보내고 자기 방향만 닫아 요청이 끝났음을 알린다. 서버는 끝까지 읽고 일한 뒤 길게 답하며, 클라이언트는 계속 읽는다.",
  },
  async play(theatre) {
    await theatre.act(
      {
        en: "shutdown(SHUT_WR), then 5000 bytes the other way",
        ko: "shutdown(SHUT_WR) 뒤에 반대 방향으로 5000바이트",
      },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server);
        stage.begin();
        await stage.until(connection.write(bytes(200)));
        connection.closeWrite();
        await stage.wait(5);
        stage.say(
          "The client writes 200 bytes and calls shutdown(SHUT_WR). The FIN stands behind the data, in the same segment here: it is the end of the stream, not an interruption.",
          "클라이언트가 200바이트를 쓰고 shutdown(SHUT_WR)을 부른다. FIN은 데이터 뒤에 서며, 여기서는 같은 세그먼트에 실린다. FIN은 중단이 아니라 흐름의 끝이다.",
        );
        const request = new Uint8Array(1000);
        let length = await stage.until(accepted.readInto(request));
        const end = await stage.until(accepted.readInto(request));
        stage.say(
          `The server reads ${length} bytes, then 0: the request is complete. Its own direction is open: CLOSE-WAIT means that the peer has closed and we have not.`,
          `서버는 ${length}바이트를 읽고 다음에는 0을 읽는다. 요청이 끝났다는 뜻이다. 서버 자신의 방향은 열려 있다. CLOSE-WAIT는 상대는 닫았고 나는 아직 닫지 않았다는 뜻이다.`,
        );
        await stage.wait(100);
        await stage.until(accepted.write(bytes(5000)));
        await stage.until(accepted.close());
        let answer = 0;
        const buffer = new Uint8Array(2000);
        for (;;) {
          const n = await stage.until(connection.readInto(buffer));
          if (n === 0) break;
          answer += n;
        }
        await stage.wait(50);
        stage.say(
          `100 ms later the server answers with ${answer} bytes, which the client in FIN-WAIT-2 reads and acknowledges as ever: its ACKs carry no data, but they are no data of its stream either. Then the server closes too.`,
          `100 ms 뒤 서버가 ${answer}바이트로 답한다. FIN-WAIT-2 상태의 클라이언트는 평소처럼 읽고 확인한다. ACK에는 데이터가 없으므로 닫힌 방향과 상관이 없다. 그다음 서버도 닫는다.`,
        );
        theatre.note("request", length);
        theatre.note("readAtEnd", end);
        theatre.note("answer", answer);
        theatre.note("clientStates", stage.states("client").slice(-3));
        theatre.note("serverStates", stage.states("server").slice(-3));
        length = 0;
      },
    );
  },
};
