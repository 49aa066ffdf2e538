"""Health commission (卫生健康委员会): hospital stays from the exchange database."""
