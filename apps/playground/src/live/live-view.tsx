export function LiveView(_: { dark: boolean; token: string }) {
  return <p>…</p>;
}
