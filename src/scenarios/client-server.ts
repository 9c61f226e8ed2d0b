import type { Connection } from "../sockets/connection.ts";
import type { Scenario } from "./scenario.ts";

export const clientServer: Scenario = {
  name: "client-server",
  title: { en: "One server, three clients", ko: "서버 하나, 클라이언트 셋" },
  summary: {
    en: "A server listens on one port and talks to three clients at once. Each accepted connection is a socket of its own; the listening socket only takes new ones.",
    ko: "서버는 포트 하나에서 들으면서 세 클라이언트와 동시에 이야기한다. 받아들인 연결마다 소켓이 따로 있고, 듣는 소켓은 새 연결만 받는다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "An echo server", ko: "에코 서버" },
      async (stage) => {
        const clients = ["ann", "bob", "cho"].map((name) => stage.host(name));
        const server = stage.host("server");
        stage.lan([...clients, server]);
        const listener = await server.listen({ port: 7, isn: 2000 });
        const served: string[] = [];
        const serve = async (connection: Connection) => {
          served.push(`${connection.remoteAddress}:${connection.remotePort}`);
          for await (const chunk of connection) await connection.write(chunk);
          await connection.close();
        };
        const accepting = (async () => {
          for (let i = 0; i < 3; i++) void serve(await listener.accept());
        })();
        stage.say(
          "Three hosts connect to port 7 of the server, one shortly after the other. The server does one thing in a loop: accept, and hand the new socket to a task of its own.",
          "세 호스트가 잇달아 서버의 7번 포트에 연결한다. 서버는 한 가지를 되풀이한다. accept하고, 새 소켓을 따로 도는 작업에 넘긴다.",
        );
        const answers: string[] = [];
        const talk = clients.map(async (host, i) => {
          await stage.network.sleep(25 * i);
          const connection = await host.connect({
            host: "10.0.0.4",
            port: 7,
            localPort: 40_000 + i,
            isn: 1000 * (i + 1),
          });
          await connection.write(`hello from ${host.name}`);
          const chunk = await connection.read();
          answers.push(new TextDecoder().decode(chunk!));
          await connection.close();
        });
        await stage.until(Promise.all(talk));
        await stage.until(accepting);
        await stage.wait(100);
        stage.say(
          "Each client got its own words back. All three connections had the server's port 7; what tells them apart is the other end: address and port of the client.",
          "클라이언트마다 자기 말을 돌려받았다. 세 연결 모두 서버 쪽은 7번 포트다. 서로를 구별하는 것은 반대쪽 끝, 곧 클라이언트의 주소와 포트다.",
        );
        theatre.note("served", [...served].sort());
        theatre.note("answers", [...answers].sort());
      },
      { limit: 40 },
    );
  },
};
