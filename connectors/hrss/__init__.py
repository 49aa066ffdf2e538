"""Human resources and social security (人社局): employment and social insurance."""
