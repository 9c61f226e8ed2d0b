import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Language } from "../../../src/trace/ladder/words.ts";

export type { Language };

const WORDS = {
  course: ["Course", "강의"],
  laboratory: ["Laboratory", "실험실"],
  live: ["Live", "실시간"],
  scenarios: ["Scenarios", "시나리오"],
  scenario: ["Scenario", "시나리오"],
  back: ["Back", "뒤로"],
  forward: ["Forward", "앞으로"],
  play: ["Play", "재생"],
  pause: ["Pause", "멈춤"],
  start: ["To the start", "처음으로"],
  end: ["To the end", "끝으로"],
  previousText: ["Previous explanation", "이전 설명"],
  nextText: ["Next explanation", "다음 설명"],
  speed: ["Speed", "속도"],
  step: ["Step", "단계"],
  ladder: ["Ladder diagram", "사다리 그림"],
  buffers: ["Buffers and windows", "버퍼와 윈도우"],
  states: ["States", "상태"],
  variables: ["Variables", "변수"],
  numbers: ["Numbers of this run", "이번 실행의 수치"],
  keys: [
    "Keys: ← → step, PgUp PgDn explanation, space play",
    "키: ← → 한 단계, PgUp PgDn 설명, 스페이스 재생",
  ],
  running: ["Running the scenario …", "시나리오를 실행하는 중 …"],
  noText: ["The scenario begins.", "시나리오가 시작된다."],
  noConnection: ["no connection yet", "아직 연결 없음"],
  send: ["send", "송신"],
  receive: ["receive", "수신"],
  theme: ["Theme", "테마"],
  auto: ["System", "시스템"],
  light: ["Light", "밝게"],
  dark: ["Dark", "어둡게"],
  language: ["Language", "언어"],
  skip: ["Skip to content", "본문으로"],
  shown: ["packets shown", "패킷 표시"],
  act: ["Act", "막"],
  preset: ["Network", "네트워크"],
  seed: ["Seed", "시드"],
  restart: ["Restart", "다시 시작"],
  stepEvent: ["Step one event", "사건 하나 진행"],
  cables: ["Cables", "케이블"],
  cut: ["Cut", "끊기"],
  heal: ["Heal", "잇기"],
  rate: ["Rate (Mbit/s)", "속도 (Mbit/s)"],
  delay: ["Delay (ms)", "지연 (ms)"],
  loss: ["Loss (%)", "손실 (%)"],
  queue: ["Queue (packets)", "큐 (패킷)"],
  flows: ["Connections", "연결"],
  open: ["Open", "열기"],
  close: ["Close", "닫기"],
  abort: ["Abort", "중단"],
  write: ["Write 10 kB", "10 kB 쓰기"],
  stream: ["Send without end", "계속 보내기"],
  reading: ["Reading", "읽는 중"],
  from: ["From", "출발"],
  to: ["To", "도착"],
  control: ["Congestion control", "혼잡 제어"],
  plots: ["Plots", "그래프"],
  save: ["Save", "저장"],
  load: ["Load", "불러오기"],
  share: ["Link", "링크"],
  pcap: ["Download pcapng", "pcapng 내려받기"],
  dropNext: ["Drop next packet", "다음 패킷 버리기"],
  hint: [
    "Click a packet on a cable, or an arrow that has not arrived, to drop it.",
    "케이블 위의 패킷이나 아직 도착하지 않은 화살표를 누르면 그 패킷을 버린다.",
  ],
  build: ["Build", "구성"],
  addHost: ["Add host", "호스트 추가"],
  addSwitch: ["Add switch", "스위치 추가"],
  addRouter: ["Add router", "라우터 추가"],
  addCable: ["Add cable", "케이블 추가"],
  remove: ["Remove", "삭제"],
  time: ["Virtual time", "가상 시간"],
  queueLength: ["queue", "큐"],
  recent: ["Last packets", "최근 패킷"],
  search: ["Search host, port, flags", "호스트, 포트, 플래그 검색"],
  packets: ["Packets", "패킷"],
  noLive: [
    "No running stack is connected. Start one with --inspect and open the address that it prints.",
    "연결된 스택이 없다. --inspect 옵션으로 시작하고, 출력되는 주소를 연다.",
  ],
  sampled: ["events left out by sampling", "개 사건을 표본 추출로 생략"],
  connected: ["connected", "연결됨"],
  connecting: ["connecting …", "연결하는 중 …"],
  lostServer: ["connection lost", "연결이 끊김"],
  seconds: ["s", "초"],
  copied: ["The link is in the address bar.", "링크가 주소창에 있다."],
} as const;

export type Word = keyof typeof WORDS;

/** "ko" and "ko-KR" of the browser mean Korean; everything else English. */
export function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export const LanguageContext = createContext<Language>("en");

export function useWords(): { lang: Language; t(word: Word): string } {
  const lang = useContext(LanguageContext);
  return { lang, t: (word) => WORDS[word][lang === "ko" ? 1 : 0] };
}
