"""Where area codes and postal codes lie: generated tables, and a list kept by hand that corrects them."""
