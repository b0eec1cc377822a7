"""Single responses explained by the noise, by Newton or sparse; knows no kernel."""
