// Cells, from top to bottom, as in a notebook: load, classify, draw. `chart.svg` is what the last one shows.
// %% Load a model. The parties that hold it are named by a deployment.
import { writeFileSync } from 'node:fs';
import { SecureTransformer, releaseWebRtc } from 'tercet';

const model = await SecureTransformer.fromPretrained('sst2-bert', {
  deployment: process.env.DEPLOYMENT ?? 'http://127.0.0.1:8420/tercet.json',
});

// %% Classify. One run for all three: rounds do not grow with the batch.
const texts = ['Great product!', 'Terrible service.', 'Average quality.'];
const { results } = await model.classifyBatch(texts);
console.table(results.map(({ label, score }, i) => ({ text: texts[i], label, score: score.toFixed(3) })));

// %% Draw.
const [WIDTH, HEIGHT, BAR] = [420, 240, 80];
const bars = results.map(({ label, score }, i) => {
  const [x, height] = [40 + i * 130, 160 * score];
  const colour = label === 'POSITIVE' ? '#1b7f5a' : '#b3402a';
  return `  <rect x="${x}" y="${200 - height}" width="${BAR}" height="${height}" fill="${colour}"/>
  <text x="${x + BAR / 2}" y="${192 - height}">${score.toFixed(2)}</text>
  <text x="${x + BAR / 2}" y="220">Text ${i + 1}</text>`;
});
const chart = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" text-anchor="middle">
  <text x="${WIDTH / 2}" y="18" font-size="15">Sentiment analysis results</text>
${bars.join('\n')}
  <line x1="20" y1="200" x2="${WIDTH - 20}" y2="200" stroke="#444"/>
</svg>
`;
writeFileSync(new URL('chart.svg', import.meta.url), chart);
for (const { label, score } of results) console.log(`${label.padEnd(8)} ${'█'.repeat(Math.round(40 * score))} ${score.toFixed(2)}`);

// %% Let go.
await model.dispose();
await releaseWebRtc();
