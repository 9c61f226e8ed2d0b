import type { Scenario } from "./scenario.ts";

export const simultaneousClose: Scenario = {
  name: "simultaneous-close",
  title: { en: "Both close at once", ko: "동시에 닫기 (simultaneous close)" },
  summary: {
    en: "Both sides send FIN before they have seen the other's. The FINs cross, and both go through a state that is seldom seen: CLOSING.",
    ko: "양쪽 모두 상대의 FIN을 보기 전에 FIN을 보낸다. FIN이 엇갈리고, 둘 다 좀처럼 보기 힘든 CLOSING 상태를 지난다.",
  },
  async play(theatre) {
    await theatre.act({ en: "FINs that cross", ko: "엇갈리는 FIN" }, async (stage) => {
      const { client, server } = stage.pair();
      const { connection, accepted } = await stage.open(client, server);
      stage.begin();
      connection.closeWrite();
      accepted.closeWrite();
      await stage.wait(11);
      stage.say(
        "Both called close() at the same moment: FIN-WAIT-1 on both sides. Each now receives a FIN where it expected the ACK of its own: CLOSING. It acknowledges and goes on waiting.",
        "둘이 같은 순간에 닫았다: 양쪽 모두 FIN-WAIT-1이다. 저마다 자기 FIN의 ACK를 기다리는데 상대의 FIN이 온다: CLOSING. 확인해 주고 계속 기다린다.",
      );
      await stage.wait(50);
      stage.say(
        "With the ACK of its own FIN each enters TIME-WAIT. Both closed first, so both must remember.",
        "자기 FIN의 ACK를 받으면 저마다 TIME-WAIT에 들어간다. 둘 다 먼저 닫은 셈이므로 둘 다 기억해야 한다.",
      );
      theatre.note("client", stage.states("client").slice(-3));
      theatre.note("server", stage.states("server").slice(-3));
      theatre.note("segments", stage.lines());
    });
  },
};
