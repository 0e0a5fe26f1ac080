// All that this page ever learns: the answer, because the tag says `share-result`.
const heard = document.getElementById('heard');
document.addEventListener('result', ({ detail: { answer } }) => {
  heard.textContent = answer === undefined ? 'An answer that we do not get.' : `Readers sound ${answer.labels[0].label}.`;
});
document.addEventListener('error', ({ detail }) => {
  if (detail !== undefined) heard.textContent = `${detail.code}: ${detail.message}`;
});
