'use client';

import { FileUp, FolderUp } from 'lucide-react';
import { type DragEvent, useRef, useState } from 'react';

import { countText } from '../../lib/import-progress.ts';
import { pickFromDrop, pickFromField } from '../../lib/picked-files.ts';
import { type SendingState, useImport } from '../../lib/use-import.ts';
import { Button } from '../button.tsx';
import { FailureNotice } from '../failure-notice.tsx';
import { PathForm } from './path-form.tsx';

/** Props of {@link ImportForm}. */
export interface ImportFormProps {
  /** Folders of the server may be imported by path. */
  readonly byPath: boolean;
  /** The server has taken an import over. */
  readonly onBegun: () => void;
}

/** Where documents are added: dropped, chosen, or named by their path. */
export function ImportForm({ byPath, onBegun }: ImportFormProps) {
  const { state, importFiles, importFolder } = useImport(onBegun);
  const [over, setOver] = useState(false);
  const folderField = useRef<HTMLInputElement>(null);
  const filesField = useRef<HTMLInputElement>(null);
  const busy = state.kind === 'sending';

  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (!busy) void importFiles(pickFromDrop(event.dataTransfer.items));
  };
  const take = (field: HTMLInputElement): void => {
    if (field.files && field.files.length > 0) void importFiles(pickFromField(field.files));
    // Choosing the same again has to be a change.
    field.value = '';
  };
  return (
    <div
      data-testid="drop-zone"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={`rounded-2xl border border-dashed p-4 transition-colors sm:p-5 ${over ? 'border-primary bg-primary-soft' : 'border-input bg-card'}`}
    >
      <h2 className="text-sm font-medium">Add documents</h2>
      <p className="mt-1 text-sm text-muted-foreground">
        Drop a folder or Markdown files here, or choose them. Up to 2 MB each.
      </p>
      <div className="mt-4 flex flex-wrap gap-2">
        <Button variant="primary" disabled={busy} onClick={() => folderField.current?.click()}>
          <FolderUp aria-hidden className="size-4" />
          Choose folder
        </Button>
        <Button disabled={busy} onClick={() => filesField.current?.click()}>
          <FileUp aria-hidden className="size-4" />
          Choose files
        </Button>
      </div>
      <input
        ref={(field) => {
          folderField.current = field;
          // React has no such attribute.
          if (field) field.webkitdirectory = true;
        }}
        type="file"
        hidden
        multiple
        aria-label="Folder to import"
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      <input
        ref={filesField}
        type="file"
        hidden
        multiple
        accept=".md,.mdx,.markdown,.txt,text/markdown,text/plain"
        aria-label="Files to import"
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      {byPath && <PathForm onImport={importFolder} />}
      <Sending state={state} />
    </div>
  );
}

function Sending({ state }: { readonly state: SendingState }) {
  switch (state.kind) {
    case 'idle':
      return null;
    case 'sending':
      return (
        <output className="mt-4 block text-sm text-muted-foreground tabular-nums">
          Sending “{state.label}”: {countText(state.sent)} of {countText(state.total)} …
        </output>
      );
    case 'failed':
      return (
        <div className="mt-4">
          <FailureNotice urgent action={state.retry && <Button onClick={state.retry}>Try again</Button>}>
            {state.message}
          </FailureNotice>
        </div>
      );
  }
}
