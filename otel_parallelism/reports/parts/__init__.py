"""What several report renderers share: wording, numbers, timelines, layout."""
