"""The rights desk: requests that come by letter, and what an editor does about a person."""
