"""`python -m audience_sync` is `audience-sync`."""

from audience_sync.commands import main

if __name__ == "__main__":
    main()
