import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const fourWayClose: Scenario = {
  name: "four-way-close",
  title: { en: "Closing takes four", ko: "4단계 연결 해제 (four-way close)" },
  summary: {
    en: "A connection is two streams, and each is closed by itself: FIN and its ACK, twice. That one side has nothing more to say does not mean that the other has finished.",
    ko: "연결은 두 개의 흐름이고, 각각 따로 닫힌다. FIN과 그 ACK가 두 번이다. 한쪽이 할 말을 다 했다고 해서 다른 쪽도 끝났다는 뜻은 아니다.",
  },
  async play(theatre) {
    await theatre.act(
      {
        en: "FIN 5000, one byte on the way back, FIN 7501",
        ko: "FIN 5000, 돌아오는 한 바이트, FIN 7501",
      },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server, {
          client: { isn: 4999 },
          server: { isn: 7499 },
        });
        stage.begin();
        connection.closeWrite();
        await stage.wait(5);
        stage.say(
          "The client has nothing more to send: FIN, seq=5000. Our FIN carries an ACK as well, where the textbook prints a dash. It is now in FIN-WAIT-1: waiting for the ACK of its FIN.",
          "클라이언트는 더 보낼 것이 없다: FIN, seq=5000. 교재에는 ACK 자리에 줄표가 있지만, 우리 FIN에는 ACK도 실린다. 클라이언트는 FIN-WAIT-1 상태에서 자기 FIN의 ACK를 기다린다.",
        );
        await stage.wait(20);
        const end = await stage.until(accepted.readInto(new Uint8Array(10)));
        stage.say(
          "The server acknowledges 5001, since a FIN takes one number like a SYN. Its application is told by a read that returns 0: the end of the data. The server is in CLOSE-WAIT: it may still send. The client is in FIN-WAIT-2: it waits for the server's FIN.",
          "서버는 5001로 확인한다. FIN도 SYN처럼 번호 하나를 차지하기 때문이다. 서버의 응용 프로그램은 read가 0을 돌려주는 것으로 데이터의 끝을 안다. 서버는 CLOSE-WAIT이고 아직 보낼 수 있다. 클라이언트는 FIN-WAIT-2에서 서버의 FIN을 기다린다.",
        );
        await stage.until(accepted.write(bytes(1)));
        await stage.wait(30);
        stage.say(
          "The server still sends one byte, number 7500, and the client takes it. So the server's next number is 7501.",
          "서버는 아직 한 바이트(7500번)를 보내고, 클라이언트가 받는다. 그래서 서버의 다음 번호는 7501이다.",
        );
        const byte = await stage.until(connection.readInto(new Uint8Array(10)));
        await stage.until(accepted.close());
        await stage.wait(40);
        stage.say(
          "Now the server has finished too: FIN, seq=7501, and LAST-ACK. The client acknowledges 7502 and enters TIME-WAIT; the ACK may get lost, and then the FIN comes again and somebody must answer. When the ACK arrives, the server's side is CLOSED.",
          "이제 서버도 끝났다: FIN, seq=7501. 서버는 LAST-ACK이다. 클라이언트는 7502로 확인하고 TIME-WAIT에 들어간다. 이 ACK가 사라지면 FIN이 다시 올 테고, 누군가는 답해야 하기 때문이다. ACK가 도착하면 서버 쪽은 CLOSED다.",
        );
        theatre.note("segments", stage.lines());
        theatre.note("readAtEnd", end);
        theatre.note("bytesAfterFin", byte);
        theatre.note("clientStates", stage.states("client").slice(-3));
        theatre.note("serverStates", stage.states("server").slice(-3));
      },
    );
    await theatre.act(
      { en: "With nothing left to send: three segments", ko: "더 보낼 것이 없으면 세그먼트 세 개" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server, {
          client: { isn: 4999 },
          server: { isn: 7499 },
        });
        // The server's ACK may wait a moment for something to ride on.
        accepted.setOption("TCP_QUICKACK", 0);
        stage.begin();
        connection.closeWrite();
        await stage.until(accepted.readInto(new Uint8Array(10)));
        await stage.until(accepted.close());
        await stage.wait(100);
        stage.say(
          "Here the server has nothing to send, and its ACK and its FIN travel together: three segments. Opening takes three because a listener has nothing to finish first: its SYN and ACK always go together. Closing takes four whenever there is something left to say.",
          "여기서는 서버가 보낼 것이 없어 ACK와 FIN이 함께 간다: 세그먼트 세 개. 연결 설정이 세 개로 되는 까닭은 듣는 쪽이 먼저 끝낼 일이 없어 SYN과 ACK가 늘 함께 가기 때문이다. 할 말이 남아 있으면 해제에는 네 개가 든다.",
        );
        theatre.note("shortClose", stage.lines());
      },
    );
  },
};
