#!/usr/bin/env node
// Here and not in `dist`, because npm links commands when it installs, which in the repository is before the build.
import '../dist/bin.js';
