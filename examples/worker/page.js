import { serveWebRtc } from 'tercet';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
// Workers have no WebRTC: the page lends its own, and sees sealed bytes alone.
const { port1, port2 } = new MessageChannel();
serveWebRtc(port1);
worker.postMessage({ page: port2, deployment: new URL('/tercet.json', document.baseURI).href }, [port2]);

worker.addEventListener('message', ({ data }) => {
  const item = document.createElement('li');
  item.textContent = data;
  document.querySelector('ul').append(item);
});
