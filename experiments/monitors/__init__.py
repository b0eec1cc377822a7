"""What a screen shows, without a screen: degrees, luminance, tables, calibrations."""
