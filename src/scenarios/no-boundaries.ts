import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const noBoundaries: Scenario = {
  name: "no-boundaries",
  title: { en: "A stream has no message boundaries", ko: "스트림에는 메시지의 경계가 없다" },
  summary: {
    en: "TCP carries bytes, not messages. One write of 40 bytes may be read in four pieces, and four writes of 10 in one. How many calls the sender made is not part of what arrives.",
    ko: "TCP는 메시지가 아니라 바이트를 나른다. 40바이트를 한 번에 써도 네 번에 나누어 읽을 수 있고, 10바이트씩 네 번 써도 한 번에 읽힐 수 있다. 보내는 쪽이 몇 번에 나누어 썼는지는 전달되지 않는다.",
  },
  async play(theatre) {
    await theatre.act(
      {
        en: "One write of 40, four reads of 10",
        ko: "40바이트를 한 번 쓰고, 10바이트씩 네 번 읽기",
      },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server);
        stage.begin();
        stage.say(
          "The server writes 40 bytes with one call. write() returns as soon as they are copied into its send buffer: that they are written does not mean that they have arrived.",
          "서버가 write() 한 번으로 40바이트를 쓴다. 바이트가 송신 버퍼로 복사되면 write()는 바로 돌아온다. 썼다는 것이 도착했다는 뜻은 아니다.",
        );
        await stage.until(accepted.write(bytes(40)));
        await stage.wait(5);
        stage.say(
          "The 40 bytes stand in the server's send buffer until the client acknowledges them. It may have to send them again.",
          "40바이트는 클라이언트가 확인할 때까지 서버의 송신 버퍼에 남아 있다. 다시 보내야 할지도 모르기 때문이다.",
          stage.sendBuffer("server: send", accepted),
        );
        await stage.wait(30);
        stage.say(
          "They arrived in one segment and wait in the client's receive buffer. Nobody has read yet, so the free part of the window is 40 smaller.",
          "바이트들은 세그먼트 하나에 실려 도착해 클라이언트의 수신 버퍼에서 기다린다. 아직 아무도 읽지 않았으므로 윈도우의 빈 공간은 40만큼 작다.",
          stage.receiveBuffer("client: receive", connection),
        );
        const reads: number[] = [];
        const waiting: number[] = [];
        const buffer = new Uint8Array(10);
        for (let i = 1; i <= 4; i++) {
          reads.push(await stage.until(connection.readInto(buffer)));
          waiting.push(connection.info().receiveQueue);
          const left = waiting[waiting.length - 1];
          stage.say(
            left > 0
              ? `read(10) returns 10 bytes. The other ${left} are not lost and not sent again: they wait in the receive buffer for the next read.`
              : "The fourth read(10) takes the rest. The next one would block: the buffer is empty.",
            left > 0
              ? `read(10)이 10바이트를 돌려준다. 나머지 ${left}바이트는 사라지지도, 다시 전송되지도 않는다. 수신 버퍼에서 다음 read를 기다린다.`
              : "네 번째 read(10)이 나머지를 가져간다. 버퍼가 비었으므로 다음 read는 기다려야 한다.",
            stage.receiveBuffer("client: receive", connection),
          );
        }
        theatre.note("reads", reads);
        theatre.note("leftInReceiveBuffer", waiting);
        theatre.note(
          "segmentsWithData",
          stage.arrows().filter(({ arrow }) => arrow.numbers.includes("len=")).length,
        );
      },
      { marks: ["state", "timer", "call"] },
    );
    await theatre.act(
      {
        en: "Four writes of 10, one read of 40",
        ko: "10바이트씩 네 번 쓰고, 40바이트를 한 번 읽기",
      },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server);
        stage.begin();
        for (let i = 0; i < 4; i++) await stage.until(accepted.write(bytes(10, 10 * i)));
        stage.say(
          "The server calls write() four times with 10 bytes. The bytes stand one behind the other in the send buffer; where one call ended and the next began is not written down anywhere.",
          "서버가 10바이트씩 write()를 네 번 부른다. 바이트들은 송신 버퍼에 차례로 이어져 있을 뿐, 어디서 한 번의 호출이 끝나고 다음 호출이 시작됐는지는 어디에도 적혀 있지 않다.",
          stage.sendBuffer("server: send", accepted),
        );
        await stage.wait(100);
        const buffer = new Uint8Array(40);
        const read = await stage.until(connection.readInto(buffer));
        stage.say(
          "The client reads later, and one read(40) returns all 40 bytes. A program that wants messages must mark them itself: with a length in front or a separator.",
          "클라이언트는 나중에 읽고, read(40) 한 번에 40바이트가 모두 나온다. 메시지가 필요한 프로그램은 앞에 길이를 적거나 구분자를 넣어 직접 경계를 표시해야 한다.",
          stage.receiveBuffer("client: receive", connection),
        );
        theatre.note("oneRead", read);
        theatre.note(
          "inOrder",
          buffer.every((byte, i) => byte === i),
        );
      },
      { marks: ["state", "timer", "call"] },
    );
  },
};
