"""The commands `ngshare-course-management`, `ngshare-course-directory` and `ngshare-receipt`."""
