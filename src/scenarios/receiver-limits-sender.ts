import { bytes, type Stage } from "./stage.ts";
import type { Scenario } from "./scenario.ts";
import type { Theatre } from "./theatre.ts";

export const receiverLimitsSender: Scenario = {
  name: "receiver-limits-sender",
  title: { en: "The receiver limits the sender", ko: "받는 쪽이 보내는 쪽을 제한한다" },
  summary: {
    en: "A receive buffer of 50 bytes and a sender with 100. The window says how far the sender may go; when the application reads 20 bytes, the permission moves on from byte 50 to byte 70. First with the silly-window rules off, so that each byte shows; then with them on, and why they are there.",
    ko: "수신 버퍼는 50바이트, 보낼 데이터는 100바이트다. 윈도우는 어디까지 보내도 되는지를 말한다. 응용 프로그램이 20바이트를 읽으면 허용 범위가 50번째에서 70번째 바이트로 옮겨 간다. 먼저 silly window 방지 규칙을 끄고 한 바이트씩 보고, 다음에는 켜고 그 이유를 본다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "Silly-window avoidance off", ko: "silly window 방지를 끈 경우" },
      (stage) => play(theatre, stage, false),
    );
    await theatre.act(
      { en: "Silly-window avoidance on", ko: "silly window 방지를 켠 경우" },
      (stage) => play(theatre, stage, true),
    );
  },
};

async function play(theatre: Theatre, stage: Stage, avoid: boolean): Promise<void> {
  // A window of 50 needs no scale, and a scaled one could only be told in steps of 512.
  const config = { tcp: { sillyWindowAvoidance: avoid, windowScaling: false } };
  const { client, server } = stage.pair({}, config);
  const { connection, accepted } = await stage.open(client, server, {
    server: { receiveBuffer: 50 },
  });
  stage.begin();
  const strips = () => [
    stage.sendBuffer("client: send", connection, 100),
    stage.receiveBuffer("server: receive", accepted),
  ];
  stage.say(
    "The server has a receive buffer of 50 bytes and said so in the window field. The client has 100 bytes to send: 50 may go, 50 must wait.",
    "서버의 수신 버퍼는 50바이트이고, 윈도우 필드로 그렇게 알렸다. 클라이언트는 100바이트를 보내야 한다. 50바이트는 보낼 수 있고 50바이트는 기다려야 한다.",
    ...strips(),
  );
  await stage.until(connection.write(bytes(100)));
  await stage.wait(5);
  stage.say(
    "50 bytes are in flight. The window is used up, and the client waits: not for the network, but for the application at the other end.",
    "50바이트가 전송 중이다. 윈도우를 다 썼으므로 클라이언트는 기다린다. 네트워크가 아니라 반대편 응용 프로그램을 기다리는 것이다.",
    ...strips(),
  );
  await stage.wait(25);
  stage.say(
    "They arrived and are acknowledged, but nobody has read: the server's buffer is full, and its ACK says window 0. Acknowledged means that the bytes are safe in the receive buffer, not that the application has them.",
    "바이트들이 도착해 확인됐지만 아무도 읽지 않았다. 서버의 버퍼가 가득 차서 ACK의 윈도우는 0이다. 확인됐다는 것은 수신 버퍼에 안전하게 있다는 뜻이지, 응용 프로그램이 가져갔다는 뜻이 아니다.",
    ...strips(),
  );
  const before = connection.info();
  const edge = () => {
    const info = connection.info();
    return (info.sndUna + info.sndWnd - info.iss - 1) | 0;
  };
  const edgeBefore = edge();
  const buffer = new Uint8Array(20);
  const read = await stage.until(accepted.readInto(buffer));
  await stage.wait(15);
  const edgeAfter = edge();
  if (!avoid) {
    stage.say(
      "The application reads 20 bytes. 20 bytes of the buffer are free again, and a window update tells the client: the right edge moves from byte 50 to byte 70, and bytes 50 to 69 go out.",
      "응용 프로그램이 20바이트를 읽는다. 버퍼에 20바이트가 다시 비었고, 윈도우 갱신이 이를 알린다. 오른쪽 끝이 50번째에서 70번째 바이트로 옮겨 가고, 50~69번 바이트가 나간다.",
      ...strips(),
    );
  } else {
    stage.say(
      "The application reads 20 bytes, and nothing happens on the wire. The receiver holds the 20 bytes back (RFC 9293 §3.8.6.2.2): it announces more only when half the buffer or a full segment is free. Else each small read would bring a small segment, with 40 bytes of headers for a few of data.",
      "응용 프로그램이 20바이트를 읽지만 선로에는 아무 일도 일어나지 않는다. 받는 쪽은 20바이트를 아직 알리지 않는다(RFC 9293 §3.8.6.2.2). 버퍼의 절반이나 세그먼트 하나만큼 비어야 더 알린다. 그러지 않으면 조금 읽을 때마다 데이터 몇 바이트에 헤더 40바이트가 붙은 작은 세그먼트가 오가게 된다.",
      ...strips(),
    );
    await stage.until(accepted.readInto(new Uint8Array(10)));
    await stage.wait(15);
    stage.say(
      "Another 10 are read: 30 of 50 are free, more than half. Now the window opens by 30 at once, and one segment of 30 bytes follows instead of two small ones.",
      "10바이트를 더 읽었다. 50바이트 가운데 30바이트가 비어 절반을 넘었다. 이제 윈도우가 한꺼번에 30만큼 열리고, 작은 세그먼트 둘 대신 30바이트짜리 하나가 온다.",
      ...strips(),
    );
  }
  await stage.wait(30);
  // The rest is read as it comes, so that all 100 bytes arrive.
  let total = avoid ? 30 : read;
  while (total < 100) total += await stage.until(accepted.readInto(new Uint8Array(100)));
  await stage.wait(100);
  stage.say(
    "The application reads on, the window goes on sliding, and all 100 bytes arrive. At no time was more in flight than the window allowed.",
    "응용 프로그램이 계속 읽고 윈도우가 계속 미끄러져, 100바이트가 모두 도착한다. 윈도우가 허용한 것보다 많이 전송 중이었던 적은 한 번도 없다.",
    ...strips(),
  );
  const which = avoid ? "avoidance on" : "avoidance off";
  theatre.note(`${which}: in flight at most`, mostInFlight(stage));
  theatre.note(`${which}: window after 50 bytes`, before.sndWnd);
  theatre.note(`${which}: right edge before and after read(20)`, [edgeBefore, edgeAfter]);
  theatre.note(`${which}: bytes read`, total);
  theatre.note(
    `${which}: segment lengths`,
    stage
      .arrows()
      .filter(({ from }) => from === "client")
      .map(({ arrow }) => Number(/len=(\d+)/.exec(arrow.numbers)?.[1] ?? 0))
      .filter((length) => length > 0),
  );
}

function mostInFlight(stage: Stage): number {
  let most = 0;
  for (const event of stage.recorder.read().events()) {
    if (event.host !== "client" || !("variables" in event) || event.variables === undefined)
      continue;
    const { sndNxt, sndUna, state } = event.variables;
    if (state === "ESTABLISHED") most = Math.max(most, (sndNxt - sndUna) | 0);
  }
  return most;
}
