import { bytes, type Stage } from "./stage.ts";
import type { Scenario } from "./scenario.ts";

export const mtuAndMss: Scenario = {
  name: "mtu-and-mss",
  title: { en: "MTU and MSS", ko: "MTU와 MSS" },
  summary: {
    en: "A link carries packets of up to its MTU; what is left of it behind the IP and TCP headers is the MSS. 4,000 bytes over MTU 1500 make three segments. Where a later link is narrower, ICMP says so.",
    ko: "링크는 MTU까지의 패킷을 나른다. 거기서 IP와 TCP 헤더를 뺀 것이 MSS다. MTU 1500에서 4,000바이트는 세그먼트 셋이 된다. 뒤쪽 링크가 더 좁으면 ICMP가 알려 준다.",
  },
  async play(theatre) {
    for (const timestamps of [false, true]) {
      await theatre.act(
        timestamps
          ? {
              en: "With timestamps: 1448 + 1448 + 1104",
              ko: "타임스탬프를 쓰면: 1448 + 1448 + 1104",
            }
          : { en: "4,000 bytes: 1460 + 1460 + 1080", ko: "4,000바이트: 1460 + 1460 + 1080" },
        async (stage) => {
          const { client, server } = stage.pair({}, { tcp: { timestamps } });
          const { connection } = await stage.open(client, server);
          await stage.until(connection.write(bytes(4000)));
          await stage.wait(50);
          stage.say(
            timestamps
              ? "The timestamps option takes 12 bytes in every segment, so 1448 are left. The MSS option still says 1460: it counts without options (RFC 9293 §3.7.1)."
              : "Both SYNs carry the MSS: 1500 less 20 for IP and 20 for TCP is 1460. Each side says what it can receive; neither asks. 4,000 bytes become 1460 + 1460 + 1080.",
            timestamps
              ? "타임스탬프 옵션이 세그먼트마다 12바이트를 쓰므로 1448바이트가 남는다. MSS 옵션은 그대로 1460이다. 옵션을 빼지 않고 세기 때문이다(RFC 9293 §3.7.1)."
              : "두 SYN 모두 MSS를 싣는다. 1500에서 IP 20바이트와 TCP 20바이트를 빼면 1460이다. 묻는 것이 아니라, 저마다 자기가 받을 수 있는 크기를 말한다. 4,000바이트는 1460 + 1460 + 1080이 된다.",
          );
          theatre.note(timestamps ? "withTimestamps" : "lengths", lengths(stage, "client"));
          if (!timestamps) {
            theatre.note(
              "mssInSyns",
              stage
                .arrows()
                .filter(({ arrow }) => arrow.head.includes("SYN"))
                .map(({ arrow }) => Number(/mss (\d+)/.exec(arrow.options)![1])),
            );
          }
        },
      );
    }
    await theatre.act(
      { en: "A narrower hop", ko: "더 좁은 구간" },
      async (stage) => {
        const client = stage.host("client");
        const near = stage.host("near router", { forwarding: true });
        const far = stage.host("far router", { forwarding: true });
        const server = stage.host("server");
        stage.cable(client, near, { delayMs: 1 });
        stage.cable(near, far, { delayMs: 1, mtu: 1000 });
        stage.cable(far, server, { delayMs: 1 });
        client.routes.add({ destination: "default", gateway: "10.0.0.2" });
        near.routes.add({ destination: "10.0.2.0/24", gateway: "10.0.1.2" });
        far.routes.add({ destination: "10.0.0.0/24", gateway: "10.0.1.1" });
        server.routes.add({ destination: "default", gateway: "10.0.2.1" });
        const { connection, accepted } = await stage.open(client, server, { address: "10.0.2.2" });
        stage.begin();
        const before = connection.info().sndMss;
        await stage.until(connection.write(bytes(4000)));
        const buffer = new Uint8Array(4000);
        let total = 0;
        while (total < 4000) total += await stage.until(accepted.readInto(buffer.subarray(total)));
        await stage.wait(50);
        const after = connection.info().sndMss;
        stage.say(
          `Both ends have MTU 1500 and agreed on ${before}; neither knows of the cable between the routers, which takes 1000. The segments say "do not fragment", so the near router drops them and answers with ICMP: fragmentation needed, next MTU 1000 (RFC 1191). The client learns it for the whole path, cuts its segments to ${after} and sends the same bytes again, under the same numbers.`,
          `양 끝의 MTU는 1500이고 ${before}으로 합의했다. 둘 다 라우터 사이의 MTU 1000짜리 선을 모른다. 세그먼트에는 “조각내지 말라”고 적혀 있으므로, 가까운 라우터가 버리고 ICMP로 답한다: 조각낼 필요가 있음, 다음 MTU 1000(RFC 1191). 클라이언트는 이를 경로 전체에 대해 기억하고, 세그먼트를 ${after}바이트로 줄여 같은 바이트를 같은 번호로 다시 보낸다.`,
        );
        theatre.note("narrow: mss before and after", [before, after]);
        theatre.note("narrow: received", total);
        theatre.note(
          "narrow: icmp",
          new Set(
            stage
              .lines({ protocols: ["icmp"] })
              .map((line) => line.replace(/ to \d.*| length .*/, "")),
          ).size > 0,
        );
      },
      { protocols: ["tcp", "icmp"] },
    );
  },
};

function lengths(stage: Stage, from: string): number[] {
  return stage
    .arrows()
    .filter((each) => each.from === from && each.arrow.numbers.includes("len="))
    .map(({ arrow }) => Number(/len=(\d+)/.exec(arrow.numbers)![1]));
}
