import { bytes } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const zeroWindow: Scenario = {
  name: "zero-window",
  title: { en: "The window closes, and opens again", ko: "윈도우가 닫혔다가 다시 열린다" },
  summary: {
    en: "An application that does not read stops the sender, however fast the network is. The sender asks from time to time whether the window is still closed, since the message that opens it may get lost. Nothing is lost of the data.",
    ko: "응용 프로그램이 읽지 않으면 네트워크가 아무리 빨라도 보내는 쪽은 멈춘다. 윈도우를 여는 알림이 사라질 수 있으므로, 보내는 쪽은 이따금 아직 닫혀 있는지 묻는다. 데이터는 하나도 잃지 않는다.",
  },
  async play(theatre) {
    await theatre.act(
      {
        en: "A receive buffer of 1000 bytes that nobody reads",
        ko: "아무도 읽지 않는 1000바이트 수신 버퍼",
      },
      async (stage) => {
        const { client, server } = stage.pair({}, { tcp: { windowScaling: false } });
        const { connection, accepted } = await stage.open(client, server, {
          server: { receiveBuffer: 1000 },
        });
        stage.begin();
        const strips = () => [
          stage.sendBuffer("client: send", connection, 3000),
          stage.receiveBuffer("server: receive", accepted),
        ];
        await stage.until(connection.write(bytes(3000)));
        await stage.wait(60);
        stage.say(
          "The client wrote 3000 bytes. 1000 filled the server's receive buffer; its ACK carries window 0. The other 2000 stay in the client's send buffer.",
          "클라이언트가 3000바이트를 썼다. 1000바이트가 서버의 수신 버퍼를 채웠고, 서버의 ACK는 윈도우 0을 알린다. 나머지 2000바이트는 클라이언트의 송신 버퍼에 남는다.",
          ...strips(),
        );
        const closed = connection.info().sndWnd;
        await stage.wait(3000);
        stage.say(
          "If the server's next window update were lost, both would wait for each other for ever. So the client sends a window probe: one byte beyond the window (RFC 9293 §3.8.6.1). The server cannot take it and answers with the same ACK and window 0. Each time the wait doubles, and it never gives up.",
          "서버의 다음 윈도우 갱신이 사라지면 둘은 영원히 서로를 기다리게 된다. 그래서 클라이언트는 윈도우 밖의 한 바이트를 실어 윈도우 탐색(probe)을 보낸다(RFC 9293 §3.8.6.1). 서버는 받을 수 없으므로 같은 ACK와 윈도우 0으로 답한다. 기다리는 시간은 매번 두 배가 되고, 포기하는 일은 없다.",
          ...strips(),
        );
        const probes = probeCount(stage.lines());
        const received: number[] = [];
        let total = 0;
        const check = new Uint8Array(3000);
        stage.say(
          "Now the application reads. The buffer is empty again, and a window update opens the window.",
          "이제 응용 프로그램이 읽는다. 버퍼가 다시 비고, 윈도우 갱신이 윈도우를 연다.",
        );
        while (total < 3000) {
          const n = await stage.until(accepted.readInto(check.subarray(total)));
          received.push(n);
          total += n;
        }
        await stage.wait(100);
        stage.say(
          "All 3000 bytes arrive, in order, none twice. Flow control cost time, not data.",
          "3000바이트가 모두, 순서대로, 한 번씩만 도착한다. 흐름 제어가 빼앗은 것은 시간이지 데이터가 아니다.",
          ...strips(),
        );
        theatre.note("windowWhenFull", closed);
        theatre.note("probes", probes);
        theatre.note("bytesReceived", total);
        theatre.note(
          "inOrder",
          check.every((byte, i) => byte === (i & 0xff)),
        );
      },
    );
  },
};

function probeCount(lines: readonly string[]): number {
  return lines.filter((line) => line.includes("window-probe")).length;
}
