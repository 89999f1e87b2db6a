import { isMarkdownName } from './document-name.ts';

/** A file that somebody chose. */
export interface PickedFile {
  /** Relative to the folder it was chosen with. */
  readonly name: string;
  readonly file: File;
}

/** What somebody chose, ready to be sent. */
export interface Picked {
  readonly label: string;
  readonly files: readonly PickedFile[];
}

/** Takes what a file field holds. Of a folder only Markdown is taken; files that were chosen one by one are all taken. */
export function pickFromField(list: Iterable<File>): Picked {
  const files = [...list];
  const [folder] = files[0]?.webkitRelativePath.split('/') ?? [];
  if (!folder) return pickFiles(files);
  const inside = files.map((file) => ({ file, name: file.webkitRelativePath.slice(folder.length + 1) }));
  return { label: folder, files: sorted(inside.filter(({ name }) => isTaken(name))) };
}

/** Takes what was dropped: folders with everything below them, and files. */
export async function pickFromDrop(items: Iterable<DataTransferItem>): Promise<Picked> {
  // The list is empty as soon as the event is over.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const [first] = entries;
  if (entries.length === 1 && first?.isDirectory) {
    const found = await readFolder(first as FileSystemDirectoryEntry, '');
    return { label: first.name, files: sorted(found) };
  }
  const found: PickedFile[] = [];
  for (const entry of entries) {
    if (entry.isDirectory) found.push(...(await readFolder(entry as FileSystemDirectoryEntry, `${entry.name}/`)));
    else found.push({ name: entry.name, file: await fileOf(entry as FileSystemFileEntry) });
  }
  const { label } = pickFiles(found.map(({ file }) => file));
  return { label, files: sorted(found) };
}

function pickFiles(files: readonly File[]): Picked {
  const [first] = files;
  const label = files.length === 1 && first ? first.name : `${files.length} files`;
  return { label, files: sorted(withOwnNames(files.map((file) => ({ name: file.name, file })))) };
}

/** Files of several folders may have one name; both are wanted. */
function withOwnNames(files: readonly PickedFile[]): PickedFile[] {
  const taken = new Map<string, number>();
  return files.map(({ name, file }) => {
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return { name: count === 1 ? name : name.replace(/(\.[^.]*)?$/, ` (${count})$1`), file };
  });
}

function isTaken(name: string): boolean {
  const folders = name.split('/').slice(0, -1);
  return isMarkdownName(name) && !folders.some((folder) => folder.startsWith('.') || folder === 'node_modules');
}

async function readFolder(folder: FileSystemDirectoryEntry, prefix: string): Promise<PickedFile[]> {
  const found: PickedFile[] = [];
  for (const entry of await entriesOf(folder)) {
    const name = `${prefix}${entry.name}`;
    if (entry.isFile && isTaken(name)) found.push({ name, file: await fileOf(entry as FileSystemFileEntry) });
    else if (entry.isDirectory && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      found.push(...(await readFolder(entry as FileSystemDirectoryEntry, `${name}/`)));
  }
  return found;
}

/** A reader gives a hundred entries at a time, and none when there are no more. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function sorted(files: readonly PickedFile[]): PickedFile[] {
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
