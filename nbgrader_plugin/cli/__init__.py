"""The commands `ngshare-course-management` and `ngshare-course-directory`."""
