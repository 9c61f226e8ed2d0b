import type { Scenario } from "./scenario.ts";

export const threeWayHandshake: Scenario = {
  name: "three-way-handshake",
  title: { en: "The three-way handshake", ko: "3단계 연결 설정 (three-way handshake)" },
  summary: {
    en: "Before a byte of data moves, both sides tell each other where they begin to count. Three segments are enough, and two are not.",
    ko: "데이터가 한 바이트라도 오가기 전에 양쪽은 서로 어디서부터 세기 시작하는지 알려 준다. 세그먼트 세 개면 충분하고, 두 개로는 모자란다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "Client ISN 1000, server ISN 2000", ko: "클라이언트 ISN 1000, 서버 ISN 2000" },
      async (stage) => {
        const { client, server } = stage.pair();
        const listener = await server.listen({ port: 80, isn: 2000 });
        stage.say(
          "The server listens: a socket in state LISTEN, which has no peer yet. It sends nothing; it waits for a SYN.",
          "서버가 listen()을 부른다. LISTEN 상태의 소켓에는 아직 상대가 없다. 아무것도 보내지 않고 SYN을 기다린다.",
        );
        const connecting = client.connect({
          host: "10.0.0.2",
          port: 80,
          localPort: 40000,
          isn: 1000,
        });
        await stage.wait(1);
        stage.say(
          "The application calls connect(). TCP picks an initial sequence number, here 1000, and sends SYN. Nobody may guess that number, so normally it is unpredictable (RFC 6528). connect() has not returned: the caller waits.",
          "응용 프로그램이 connect()를 부른다. TCP는 초기 순서 번호(ISN)를 하나 고르고(여기서는 1000) SYN을 보낸다. 남이 짐작할 수 없어야 하므로 보통은 예측할 수 없는 값을 쓴다(RFC 6528). connect()는 아직 돌아오지 않았고, 부른 쪽은 기다린다.",
        );
        await stage.wait(10);
        stage.say(
          "The SYN has arrived. The server answers with a SYN of its own, seq=2000, and ack=1001: a SYN takes one number although it carries no byte, so the next one expected is 1000 + 1.",
          "SYN이 도착했다. 서버는 자기 SYN(seq=2000)에 ack=1001을 실어 보낸다. SYN은 데이터가 없어도 번호 하나를 차지하므로, 다음에 기다리는 번호는 1000 + 1이다.",
        );
        const connection = await stage.until(connecting);
        stage.say(
          "The client's own number has come back acknowledged, so it is ESTABLISHED and connect() returns, after one round trip: 20 ms. It acknowledges the server's SYN: ack=2001.",
          "클라이언트의 번호가 확인되어 돌아왔다. 클라이언트는 ESTABLISHED가 되고 connect()는 왕복 한 번(20 ms) 만에 돌아온다. 그리고 서버의 SYN을 확인한다: ack=2001.",
        );
        const accepted = await stage.until(listener.accept());
        stage.say(
          "Only now does the server know that its 2000 arrived. It is ESTABLISHED too, and the new connection goes to the accept queue, where accept() takes it. Without the third segment an old SYN from the network could open a connection that no client wants.",
          "이제야 서버는 자기 번호 2000이 도착했음을 안다. 서버도 ESTABLISHED가 되고, 새 연결은 accept 큐에 들어가 accept()가 꺼내 간다. 세 번째 세그먼트가 없다면 네트워크를 떠돌던 낡은 SYN이 아무도 원하지 않는 연결을 열 수 있다.",
        );
        theatre.note("segments", stage.lines());
        theatre.note("handshakeMs", 20);
        theatre.note("client", connection.info().state);
        theatre.note("server", accepted.info().state);
      },
    );
  },
};
