import { basename } from "node:path";

/** What came of one image. */
export type Thumbnail =
  | { readonly path: string; readonly png: Uint8Array }
  | { readonly path: string; readonly problem: string };

/**
 * A page with all thumbnails on it. They stay the bytes that the sandboxed program made: nothing here decodes them.
 */
export function contactSheet(thumbnails: readonly Thumbnail[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Thumbnails made in sandboxes</title>
<style>
  body { font: 15px/1.4 sans-serif; margin: 2rem; background: #fafafa; color: #222; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 1rem; }
  figure { margin: 0; padding: .75rem; background: #fff; border: 1px solid #ddd; border-radius: 8px; text-align: center; }
  img { max-width: 100%; }
  .problem { color: #a40000; font-size: 13px; overflow-wrap: anywhere; }
</style>
<h1>Thumbnails made in sandboxes</h1>
<main>
${thumbnails.map(figure).join("\n")}
</main>
</html>
`;
}

function figure(thumbnail: Thumbnail): string {
  const name = escapeHtml(basename(thumbnail.path));
  const picture =
    "png" in thumbnail
      ? `<img alt="${name}" src="data:image/png;base64,${Buffer.from(thumbnail.png).toString("base64")}">`
      : `<p class="problem">${escapeHtml(thumbnail.problem)}</p>`;
  return `<figure>${picture}<figcaption>${name}</figcaption></figure>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
