/** What the reader chose; `system` follows the operating system. */
export type ThemeChoice = 'light' | 'dark' | 'system';

const STORAGE_KEY = 'perennial-theme';
const DARK = '(prefers-color-scheme: dark)';

/** Runs before the first paint, as text inside the page: a theme applied later would flash. */
export const THEME_SCRIPT = `(function(){var t=null;try{t=localStorage.getItem('${STORAGE_KEY}')}catch(e){}
document.documentElement.dataset.theme=t==='light'||t==='dark'?t:matchMedia('${DARK}').matches?'dark':'light'})()`;

const listeners = new Set<() => void>();

/** The stored choice, as an external store for React; also hears of other tabs and of the operating system. */
export const themeStore = {
  subscribe(listener: () => void): () => void {
    const changed = (): void => {
      themeStore.apply();
      listener();
    };
    const system = matchMedia(DARK);
    listeners.add(listener);
    addEventListener('storage', changed);
    system.addEventListener('change', changed);
    return () => {
      listeners.delete(listener);
      removeEventListener('storage', changed);
      system.removeEventListener('change', changed);
    };
  },
  get(): ThemeChoice {
    try {
      const stored = localStorage.getItem(STORAGE_KEY);
      return stored === 'light' || stored === 'dark' ? stored : 'system';
    } catch {
      // Storage can be forbidden; the choice then lasts as long as the page.
      return 'system';
    }
  },
  getServer(): ThemeChoice {
    return 'system';
  },
  /** Shows the stored choice. */
  apply(): void {
    show(themeStore.get());
  },
  set(choice: ThemeChoice): void {
    try {
      if (choice === 'system') localStorage.removeItem(STORAGE_KEY);
      else localStorage.setItem(STORAGE_KEY, choice);
    } catch {
      // See get().
    }
    show(choice);
    for (const listener of listeners) listener();
  },
};

function show(choice: ThemeChoice): void {
  const dark = choice === 'dark' || (choice === 'system' && matchMedia(DARK).matches);
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
}
