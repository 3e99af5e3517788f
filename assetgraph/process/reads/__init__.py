"""What a step reads while it runs, without declaring it: files, folders, patterns and variables."""
