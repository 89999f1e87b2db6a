'use client';

import { Menu } from '@base-ui/react/menu';
import { Check, Monitor, Moon, Sun } from 'lucide-react';
import { useSyncExternalStore } from 'react';

import { type ThemeChoice, themeStore } from '../lib/theme.ts';
import { buttonClass } from './button.tsx';

const CHOICES = [
  { value: 'light', label: 'Light', Icon: Sun },
  { value: 'dark', label: 'Dark', Icon: Moon },
  { value: 'system', label: 'System', Icon: Monitor },
] as const;

/** Chooses light, dark or the system's theme. */
export function ThemeMenu() {
  const choice = useSyncExternalStore(themeStore.subscribe, themeStore.get, themeStore.getServer);
  return (
    <Menu.Root>
      <Menu.Trigger aria-label="Theme" title="Theme" className={buttonClass('ghost', 'size-11 !px-0')}>
        {/* Both are there, because only CSS knows before hydration which theme is on. */}
        <Sun aria-hidden className="size-5 dark:hidden" />
        <Moon aria-hidden className="hidden size-5 dark:block" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end" className="outline-hidden">
          <Menu.Popup className="min-w-40 origin-(--transform-origin) rounded-2xl border bg-popover p-1.5 text-sm text-popover-foreground shadow-lg outline-hidden transition-[scale,opacity] duration-100 data-ending-style:scale-97 data-ending-style:opacity-0 data-starting-style:scale-97 data-starting-style:opacity-0">
            <Menu.RadioGroup value={choice} onValueChange={(value: ThemeChoice) => themeStore.set(value)}>
              {CHOICES.map(({ value, label, Icon }) => (
                <Menu.RadioItem
                  key={value}
                  value={value}
                  closeOnClick
                  className="flex min-h-11 cursor-pointer items-center gap-3 rounded-xl px-3 outline-hidden select-none data-highlighted:bg-accent"
                >
                  <Icon aria-hidden className="size-4 text-muted-foreground" />
                  <span className="flex-1">{label}</span>
                  <Menu.RadioItemIndicator>
                    <Check aria-hidden className="size-4 text-primary" />
                  </Menu.RadioItemIndicator>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
