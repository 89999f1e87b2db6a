import { postFiles } from './api.ts';
import { MAX_DOCUMENT_BYTES } from './document-name.ts';
import { MAX_UPLOAD_BYTES, MAX_UPLOAD_FILES, type UploadRequest } from './import-requests.ts';
import type { PickedFile } from './picked-files.ts';

/** Options of {@link sendFiles}. */
export interface SendOptions {
  readonly onProgress: (sent: number) => void;
  readonly signal: AbortSignal;
}

/** Sends the files of an import in parts, one after the other. Safe to repeat: the server keeps a part it has. */
export async function sendFiles(id: string, files: readonly PickedFile[], options: SendOptions): Promise<void> {
  let sent = 0;
  for (const [part, group] of toParts(files).entries()) {
    await postFiles(id, { part, files: await Promise.all(group.map(encode)) }, options.signal);
    sent += group.length;
    options.onProgress(sent);
  }
}

function toParts(files: readonly PickedFile[]): PickedFile[][] {
  const parts: PickedFile[][] = [];
  let bytes = 0;
  for (const picked of files) {
    const size = picked.file.size > MAX_DOCUMENT_BYTES ? 0 : picked.file.size;
    const last = parts.at(-1);
    if (last && last.length < MAX_UPLOAD_FILES && bytes + size <= MAX_UPLOAD_BYTES) {
      last.push(picked);
      bytes += size;
    } else {
      parts.push([picked]);
      bytes = size;
    }
  }
  return parts;
}

async function encode({ name, file }: PickedFile): Promise<UploadRequest['files'][number]> {
  if (file.size > MAX_DOCUMENT_BYTES) return { name, problem: 'TOO_LARGE' };
  try {
    return { name, content: await toBase64(file) };
  } catch {
    // It has gone, or changed, since it was chosen.
    return { name, problem: 'UNREADABLE' };
  }
}

function toBase64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('error', () => reject(reader.error ?? new Error('The file could not be read.')));
    reader.addEventListener('load', () => {
      const url = typeof reader.result === 'string' ? reader.result : '';
      resolve(url.slice(url.indexOf(',') + 1));
    });
    reader.readAsDataURL(file);
  });
}
