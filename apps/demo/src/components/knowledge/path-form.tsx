'use client';

import { useState } from 'react';

import { Button } from '../button.tsx';

/** Props of {@link PathForm}. */
export interface PathFormProps {
  /** Resolves with false when the server did not take it. */
  readonly onImport: (path: string) => Promise<boolean>;
}

/** Imports a folder of the server by its path. */
export function PathForm({ onImport }: PathFormProps) {
  const [path, setPath] = useState('');
  const submit = async (): Promise<void> => {
    const wanted = path.trim();
    if (wanted !== '' && (await onImport(wanted))) setPath('');
  };
  return (
    <form
      className="mt-4 border-t pt-4"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label htmlFor="import-path" className="text-sm text-muted-foreground">
        Or a folder on the server
      </label>
      <div className="mt-2 flex gap-2">
        <input
          id="import-path"
          value={path}
          onChange={({ currentTarget }) => setPath(currentTarget.value)}
          placeholder="notes/2026"
          autoComplete="off"
          spellCheck={false}
          className="min-h-11 min-w-0 flex-1 rounded-xl border border-input bg-background px-3 font-mono text-base outline-hidden placeholder:text-muted-foreground focus-visible:border-ring focus-visible:ring-2 focus-visible:ring-ring/40 sm:text-sm"
        />
        <Button type="submit" disabled={path.trim() === ''}>
          Import
        </Button>
      </div>
    </form>
  );
}
