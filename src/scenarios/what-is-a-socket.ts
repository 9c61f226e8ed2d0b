import { AF_INET, SOCK_STREAM } from "../sockets/constants.ts";
import { socketAddress } from "../sockets/socket-address.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { StreamSocket } from "../sockets/stream-socket.ts";
import { stateName } from "../tcp/state.ts";
import type { Scenario } from "./scenario.ts";

export const whatIsASocket: Scenario = {
  name: "what-is-a-socket",
  title: { en: "What is a socket?", ko: "소켓이란 무엇인가?" },
  summary: {
    en: "A descriptor is a number; behind it stands a socket, and behind that the control block of a connection. What is in it after each call, and how two clients of one port are told apart.",
    ko: "디스크립터는 번호이고, 그 뒤에 소켓이, 다시 그 뒤에 연결의 제어 블록(TCB)이 있다. 호출마다 그 안이 어떻게 바뀌는지, 한 포트의 두 클라이언트를 어떻게 구별하는지 본다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "socket, bind, listen, connect, accept", ko: "socket, bind, listen, connect, accept" },
      async (stage) => {
        const { client, server } = stage.pair();
        const rows: string[][] = [
          ["after", "host", "fd", "local", "remote", "state", "iss", "irs"],
        ];
        const look = (after: string, host: SocketHost, fd: number): readonly string[] => {
          const socket = host.calls.lookup(fd) as StreamSocket;
          const c = socket.connection;
          const name = socket.localName();
          const peer = socket.remoteName();
          const row = [
            after,
            host.name,
            String(fd),
            `${name.address}:${name.port}`,
            peer === undefined ? "-" : `${peer.address}:${peer.port}`,
            socket.isListening ? "LISTEN" : stateName(c.state),
            c.path === undefined ? "-" : String(c.iss >>> 0),
            c.path === undefined || c.state < 3 ? "-" : String(c.irs >>> 0),
          ];
          rows.push(row);
          return row;
        };
        const s = server.sockets;
        const listening = s.socket(AF_INET, SOCK_STREAM);
        look("socket()", server, listening);
        stage.say(
          `socket() returns ${listening}, the lowest free number in the server's table. There is a control block now, in state CLOSED, without addresses.`,
          `socket()이 ${listening}을 돌려준다. 서버의 표에서 가장 작은 빈 번호다. CLOSED 상태의, 주소 없는 제어 블록이 생겼다.`,
        );
        s.bind(listening, socketAddress("0.0.0.0", 80));
        look("bind(80)", server, listening);
        s.listen(listening, 5);
        look("listen(5)", server, listening);
        stage.say(
          "bind() names its own end, port 80 of any local address. listen() makes it a listener: it will have two queues, of half-open and of finished connections, and never a peer.",
          "bind()는 자기 쪽 끝에 이름을 붙인다. 모든 로컬 주소의 80번 포트다. listen()은 듣는 소켓으로 만든다. 반쯤 열린 연결과 완성된 연결의 큐 둘이 생기고, 상대는 영원히 없다.",
        );
        const fds: number[] = [];
        for (const isn of [1000, 3000]) {
          const fd = client.sockets.socket(AF_INET, SOCK_STREAM);
          const socket = client.calls.lookup(fd) as StreamSocket;
          socket.change((options) => (options.isn = isn));
          client.sockets.bind(fd, socketAddress("10.0.0.1", isn === 1000 ? 40_000 : 40_001));
          const connecting = client.sockets.connect(fd, socketAddress("10.0.0.2", 80));
          await stage.wait(1);
          look("connect() begun", client, fd);
          await stage.until(connecting);
          look("connect() done", client, fd);
          fds.push(fd);
        }
        stage.say(
          "Two sockets of the client connect to port 80. connect() fills in the rest of the four: the local address, and the peer's address and port; with the handshake both initial numbers are known.",
          "클라이언트의 소켓 둘이 80번 포트에 연결한다. connect()가 네 값의 나머지를 채운다: 로컬 주소, 상대의 주소와 포트. 핸드셰이크가 끝나면 양쪽 초기 번호를 안다.",
        );
        const accepted: number[] = [];
        for (let i = 0; i < 2; i++) {
          const { fd } = await stage.until(s.accept(listening));
          accepted.push(fd);
          look("accept()", server, fd);
        }
        look("afterwards", server, listening);
        stage.say(
          `accept() returns new descriptors, ${accepted.join(" and ")}; the listener stays as it was. All three have local port 80. A segment finds its socket by all four: local and remote address and port; only what fits no connection goes to the listener.`,
          `accept()는 새 디스크립터 ${accepted.join("과 ")}을 돌려주고, 듣는 소켓은 그대로다. 셋 다 로컬 포트가 80이다. 세그먼트는 네 값(로컬 주소와 포트, 원격 주소와 포트)으로 소켓을 찾고, 맞는 연결이 없을 때만 듣는 소켓으로 간다.`,
        );
        stage.show({ title: { en: "The table", ko: "표로 보기" }, rows });
        await stage.until(client.sockets.write(fds[1], Uint8Array.of(2)));
        await stage.until(client.sockets.write(fds[0], Uint8Array.of(1)));
        const got: number[] = [];
        for (const fd of accepted) {
          const into = new Uint8Array(1);
          await stage.until(s.read(fd, into));
          got.push(into[0]);
        }
        theatre.note("listener", listening);
        theatre.note("accepted", accepted);
        theatre.note(
          "tuples",
          rows.filter((row) => row[0] === "accept()").map((row) => `${row[3]} < ${row[4]}`),
        );
        theatre.note("eachGotItsOwn", got);
        theatre.note(
          "states",
          rows.slice(1).map((row) => row[5]),
        );
      },
    );
  },
};
