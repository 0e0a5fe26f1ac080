import { pipeline } from 'tercet';

const REVIEWS = ['A warm, funny film.', 'Dull from its first minute.'];

addEventListener('message', async ({ data: { page, deployment } }) => {
  try {
    const classify = await pipeline('sentiment-analysis', 'sst2-bert', { page, deployment });
    for (const [i, { label, score }] of (await classify(REVIEWS)).entries())
      postMessage(`${label} ${score.toFixed(3)} ${REVIEWS[i]}`);
    await classify.dispose();
  } catch (error) {
    postMessage(`${error.code}: ${error.message}`);
  }
});
