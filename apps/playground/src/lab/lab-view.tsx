export function LabView(_: { dark: boolean }) {
  return <p>…</p>;
}
