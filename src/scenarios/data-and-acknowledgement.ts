import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const dataAndAcknowledgement: Scenario = {
  name: "data-and-acknowledgement",
  title: { en: "Data and acknowledgement", ko: "데이터와 확인 응답" },
  summary: {
    en: "Each byte has a number. A segment names the number of its first byte; the acknowledgement names the next byte expected: SEQ + bytes.",
    ko: "바이트마다 번호가 있다. 세그먼트는 첫 바이트의 번호를, 확인 응답은 다음에 기다리는 바이트의 번호를 적는다: SEQ + 바이트 수.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "seq=1301 and seq=1401, 100 bytes each", ko: "seq=1301과 seq=1401, 각각 100바이트" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection, accepted } = await stage.open(client, server, {
          client: { isn: 1300 },
        });
        stage.begin();
        stage.say(
          "The client's ISN was 1300; the SYN took that number, so the first byte of data has number 1301. 100 bytes are the numbers 1301 to 1400.",
          "클라이언트의 ISN은 1300이었다. SYN이 그 번호를 썼으므로 데이터의 첫 바이트는 1301번이다. 100바이트는 1301번부터 1400번까지다.",
        );
        await stage.until(connection.write(bytes(100)));
        await stage.wait(40);
        stage.say(
          'ack=1401 says: I have everything before 1401, and 1401 is what I wait for. Some textbooks print "ACK = SEQ + bytes + 1", which would be 1402. The standard (RFC 9293 §3.4), and every stack, acknowledges the next expected byte: SEQ + bytes. Only SYN and FIN count for one.',
          "ack=1401은 “1401 앞은 모두 받았고 1401을 기다린다”는 뜻이다. 어떤 교재는 “ACK = SEQ + 바이트 수 + 1”이라고 적는데, 그러면 1402가 된다. 표준(RFC 9293 §3.4)과 모든 스택은 다음에 기다리는 바이트, 곧 SEQ + 바이트 수를 적는다. 1을 더하는 것은 SYN과 FIN뿐이다.",
          stage.sendBuffer("client: send", connection),
        );
        await stage.until(connection.write(bytes(100, 100)));
        await stage.wait(40);
        stage.say(
          "The second segment begins where the first one ended: seq=1401. Its acknowledgement is 1501.",
          "두 번째 세그먼트는 첫 번째가 끝난 곳에서 시작한다: seq=1401. 확인 응답은 1501이다.",
          stage.sendBuffer("client: send", connection),
          stage.receiveBuffer("server: receive", accepted),
        );
        theatre.note("segments", stage.lines());
      },
    );
    await theatre.act(
      { en: "The textbook's figure: SEQ 1200, 100 bytes", ko: "교재의 그림: SEQ 1200, 100바이트" },
      async (stage) => {
        const { client, server } = stage.pair();
        const { connection } = await stage.open(client, server, { client: { isn: 1199 } });
        stage.begin();
        await stage.until(connection.write(bytes(100)));
        await stage.wait(40);
        stage.say(
          "The textbook prints 1301 here. Bytes 1200 to 1299 arrived, so the next one is 1300, and that is what the ACK says.",
          "교재에는 1301이라고 적혀 있다. 1200번부터 1299번까지 도착했으므로 다음은 1300번이고, ACK는 1300이다.",
        );
        theatre.note("textbook", stage.lines());
      },
    );
  },
};
