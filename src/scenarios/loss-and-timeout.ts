import { bytes, type Stage } from "./stage.ts";
import type { Scenario } from "./scenario.ts";
import type { Theatre } from "./theatre.ts";

export const lossAndTimeout: Scenario = {
  name: "loss-and-timeout",
  title: { en: "Loss and timeout", ko: "손실과 타임아웃" },
  summary: {
    en: "The second of two segments is lost. Nothing tells the sender; only the acknowledgement that does not come. When the timer expires, the same bytes go again under the same number.",
    ko: "두 세그먼트 가운데 두 번째가 사라진다. 보내는 쪽에 이를 알려 주는 것은 없고, 와야 할 확인 응답이 오지 않을 뿐이다. 타이머가 끝나면 같은 바이트가 같은 번호로 다시 간다.",
  },
  async play(theatre) {
    await theatre.act({ en: "The retransmission timer", ko: "재전송 타이머" }, (stage) =>
      play(theatre, stage),
    );
  },
};

async function play(theatre: Theatre, stage: Stage): Promise<void> {
  // Counted from 0 in this direction: SYN, ACK, first segment, second segment.
  const { client, server } = stage.pair({ aToB: { loss: [3] } });
  const { connection, accepted } = await stage.open(client, server, { client: { isn: 1300 } });
  stage.begin();
  await stage.until(connection.write(bytes(100)));
  await stage.wait(30);
  stage.say(
    "The first 100 bytes arrived and are acknowledged. The client measured the round trip: 20 ms.",
    "처음 100바이트는 도착해 확인됐다. 클라이언트는 왕복 시간을 쟀다: 20 ms.",
    stage.sendBuffer("client: send", connection),
  );
  const rtoMs = connection.info().rtoUs / 1000;
  await stage.until(connection.write(bytes(100, 100)));
  await stage.wait(15);
  stage.say(
    `The second segment is lost on the way. The server knows nothing of it; the client keeps the 100 bytes in its send buffer, and its timer runs: ${rtoMs} ms, the measured round trip and a margin.`,
    `두 번째 세그먼트가 가는 길에 사라진다. 서버는 아무것도 모른다. 클라이언트는 100바이트를 송신 버퍼에 간직하고 타이머를 돌린다: 측정한 왕복 시간에 여유를 더한 ${rtoMs} ms.`,
    stage.sendBuffer("client: send", connection),
  );
  await stage.wait(2000);
  stage.say(
    "The timer expired; the same segment goes again, seq=1401, and now ack=1501 comes back. If it were lost once more, the timer would wait twice as long. The congestion window fell to one segment: a timeout is a bad sign.",
    "타이머가 끝나 같은 세그먼트(seq=1401)가 다시 가고, 이제 ack=1501이 돌아온다. 또 사라졌다면 타이머는 두 배를 기다렸을 것이다. 타임아웃은 나쁜 징조이므로 혼잡 윈도우는 세그먼트 하나로 줄었다.",
    stage.sendBuffer("client: send", connection),
    stage.receiveBuffer("server: receive", accepted),
  );
  const arrows = stage.arrows();
  const sent = arrows.find(({ arrow }) => arrow.lost !== "")!.arrow.timeUs;
  const again = arrows.find(({ arrow }) => arrow.reason !== "")!.arrow.timeUs;
  theatre.note("segments", stage.lines());
  theatre.note("againAfterMs", (again - sent) / 1000);
  theatre.note("rtoMs", rtoMs);
}
