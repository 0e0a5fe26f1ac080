import { pipeline } from './tercet/tercet.js';

const form = document.querySelector('form');
const [state, answers] = ['state', 'answers'].map((id) => document.getElementById(id));

const fill = await pipeline('fill-mask', 'capitals-bert', { deployment: '/tercet.json' });
// While the visitor types: then the answer is one message away.
await fill.model.prepare(16);
state.textContent = 'ready';
form.querySelector('button').disabled = false;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  state.textContent = 'two parties compute on what neither can read …';
  try {
    const words = await fill(form.elements.text.value, { top_k: 3 });
    answers.replaceChildren(
      ...words.flat().map(({ token_str, score }) => {
        const item = document.createElement('li');
        item.textContent = `${token_str} ${(100 * score).toFixed(1)} %`;
        return item;
      }),
    );
    state.textContent = 'done';
  } catch (error) {
    state.textContent = `${error.message}: ${error.hint ?? ''}`;
  }
});
