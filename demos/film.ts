/**
 * A film of a page as WebM. The browser that shows the page also encodes it, in a page of its own: no other program is
 * needed. Frames come as they are drawn, so a film has the time that the tour took.
 */
import { writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';

interface Studio {
  draw(jpeg: string): Promise<void>;
  end(): Promise<string>;
}
declare global {
  interface Window {
    studio: Studio;
  }
}

const SIZE = { width: 960, height: 668 };

export class Film {
  readonly #studio: Page;
  readonly #stop: () => Promise<unknown>;
  #frames: Promise<unknown> = Promise.resolve();

  private constructor(studio: Page, stop: () => Promise<unknown>) {
    this.#studio = studio;
    this.#stop = stop;
  }

  /** Begins. @throws where this browser encodes no WebM */
  static async start(page: Page): Promise<Film> {
    const browser = page.context().browser();
    if (browser === null) throw new Error('there is no browser to encode');
    const studio = await (await browser.newContext()).newPage();
    await studio.evaluate(makeStudio, SIZE);
    const session = await page.context().newCDPSession(page);
    const film = new Film(studio, () => session.send('Page.stopScreencast'));
    session.on('Page.screencastFrame', ({ data, sessionId }) => {
      const drawn = () => studio.evaluate((jpeg) => window.studio.draw(jpeg), data);
      film.#frames = film.#frames.then(drawn).then(() => session.send('Page.screencastFrameAck', { sessionId }));
      film.#frames.catch(() => undefined);
    });
    await session.send('Page.startScreencast', {
      ...{ format: 'jpeg', quality: 80, everyNthFrame: 2 },
      ...{ maxWidth: SIZE.width, maxHeight: SIZE.height },
    });
    return film;
  }

  /** Ends it, and writes it. Returns its size. */
  async end(path: string): Promise<number> {
    await this.#stop();
    await this.#frames.catch(() => undefined);
    const film = Buffer.from(await this.#studio.evaluate(() => window.studio.end()), 'base64');
    await this.#studio.context().close();
    await writeFile(path, film);
    return film.length;
  }
}

/** In the page that encodes. */
function makeStudio({ width, height }: { readonly width: number; readonly height: number }): void {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const paper = canvas.getContext('2d');
  if (paper === null) throw new Error('there is no canvas');
  const recorder = new MediaRecorder(canvas.captureStream(12), {
    mimeType: 'video/webm',
    videoBitsPerSecond: 1_500_000,
  });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  window.studio = {
    async draw(jpeg) {
      const image = await createImageBitmap(await (await fetch(`data:image/jpeg;base64,${jpeg}`)).blob());
      const scale = Math.min(width / image.width, height / image.height);
      paper.fillStyle = '#fff';
      paper.fillRect(0, 0, width, height);
      const [w, h] = [image.width * scale, image.height * scale];
      paper.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
    },
    async end() {
      const stopped = new Promise((resolve) => {
        recorder.onstop = resolve;
      });
      recorder.stop();
      await stopped;
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
      let text = '';
      for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
      return btoa(text);
    },
  };
}
