"""The console in Chromium. A package, so that the browser ends with the last of its tests."""
