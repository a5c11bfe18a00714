"""One host's domains: makes libvirt run what the documents of kind ``server`` say."""
